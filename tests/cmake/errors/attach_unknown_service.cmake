# isoenv_attach in attach_unknown_service.cmake: SERVICES: there is no service "usr" in environment "shop", did you mean "user"?
add_test(NAME ready COMMAND true)
isoenv_attach(TESTS ready SERVICES usr)
isoenv_add_service(user COMMAND node)
