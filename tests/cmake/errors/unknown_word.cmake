# isoenv_add_service(user): unknown word "COMAND", did you mean "COMMAND"?
isoenv_add_service(user ENVIRONMENT shop COMAND node)
