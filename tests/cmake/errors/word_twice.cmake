# isoenv_add_service(user): "PORTS" is given twice
isoenv_add_service(user COMMAND node PORTS http READY_TCP http PORTS admin)
