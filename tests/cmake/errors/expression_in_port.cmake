# isoenv_add_service(user): PORTS: "$<IF:1,http,https>" is not a port
isoenv_add_service(user COMMAND node PORTS $<IF:1,http,https>)
