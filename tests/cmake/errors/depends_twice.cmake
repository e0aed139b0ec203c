# isoenv_add_service(order): DEPENDS: "user" is given twice
isoenv_add_service(order COMMAND node DEPENDS user:started user)
