# isoenv_add_service(user): ENV_MODE: unknown value "clear", did you mean "clean"?
isoenv_add_service(user COMMAND node ENV_MODE clear)
