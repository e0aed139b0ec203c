# isoenv_add_service(user): a service has no "READY_EXIT"
isoenv_add_service(user COMMAND node READY_EXIT 0)
