# isoenv_add_service(user): PORTS: in "http:70000", "70000" is not a port number from 1 to 65535
isoenv_add_service(user COMMAND node PORTS http:70000)
