# isoenv_add_service(user): STOP_SIGNAL: unknown value "SIGTREM", did you mean "SIGTERM"?
isoenv_add_service(user COMMAND node STOP_SIGNAL SIGTREM)
