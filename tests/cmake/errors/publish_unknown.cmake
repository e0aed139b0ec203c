# isoenv_add_service(user): PUBLISH: there is no port "http" in PORTS (there are none)
isoenv_add_service(user COMMAND node PUBLISH http)
