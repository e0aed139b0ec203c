# isoenv_add_service(user): "COMMAND" is missing
isoenv_add_service(user PORTS http)
