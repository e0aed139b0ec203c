# isoenv_add_service(user): READY_UDP: the port "http" is tcp, not udp
isoenv_add_service(user COMMAND node PORTS http READY_UDP http)
