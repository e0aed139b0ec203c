# isoenv_add_service(user): DEPENDS: "user" depends on itself
isoenv_add_service(user COMMAND node DEPENDS user)
