# isoenv_add_service(user): PUBLISH: the port "log" is udp, not tcp
isoenv_add_service(user COMMAND node PORTS log:514/udp PUBLISH log)
