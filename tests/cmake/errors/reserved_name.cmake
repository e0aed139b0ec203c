# isoenv_add_service(localhost): name: the name "localhost" is reserved
isoenv_add_service(localhost COMMAND node)
