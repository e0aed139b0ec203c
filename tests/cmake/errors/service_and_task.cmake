# isoenv_add_task(user): environment "shop" already has a service "user"
isoenv_add_service(user COMMAND node)
isoenv_add_task(user COMMAND node)
