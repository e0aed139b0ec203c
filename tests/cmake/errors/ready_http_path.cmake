# isoenv_add_service(user): READY_HTTP: the path "health" does not begin with "/"
isoenv_add_service(user COMMAND node PORTS http READY_HTTP http health)
