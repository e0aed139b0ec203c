# isoenv_add_service(order): DEPENDS user:redy: unknown value "redy", did you mean "ready"?
isoenv_add_service(order COMMAND node DEPENDS user:redy)
