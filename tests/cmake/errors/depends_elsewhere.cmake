# there is no service "user" in environment "shop"; environment "other" has one
isoenv_add_service(user ENVIRONMENT other COMMAND node)
isoenv_add_service(order COMMAND node DEPENDS user)
