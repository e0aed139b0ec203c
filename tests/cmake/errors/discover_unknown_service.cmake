# isoenv_discover_tests(suite) in discover_unknown_service.cmake: SERVICES: there is no service "usr" in environment "shop", did you mean "user"?
add_executable(suite suite.cc)
isoenv_discover_tests(suite SERVICES usr)
isoenv_add_service(user COMMAND node)
