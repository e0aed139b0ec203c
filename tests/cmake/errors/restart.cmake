# isoenv_add_service(user): RESTART: unknown value "on_failur", did you mean "on_failure"?
isoenv_add_service(user COMMAND node RESTART on_failur)
