# isoenv_add_service(user): "DEPENDS" needs a value
isoenv_add_service(user COMMAND node DEPENDS PORTS http)
