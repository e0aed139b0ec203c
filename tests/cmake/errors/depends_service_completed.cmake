# DEPENDS user:completed: "user" is a service, which does not complete; did you mean "ready"?
isoenv_add_service(order COMMAND node DEPENDS user:completed)
isoenv_add_service(user COMMAND node)
