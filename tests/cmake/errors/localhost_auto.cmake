# isoenv_add_service(user): LOCALHOST: in "http:auto", "auto" is not a port number
isoenv_add_service(user COMMAND node PORTS http LOCALHOST http:auto)
