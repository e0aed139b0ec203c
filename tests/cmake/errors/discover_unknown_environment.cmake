# isoenv_discover_tests(suite) in discover_unknown_environment.cmake: there is no environment "shp", did you mean "shop"?
add_executable(suite suite.cc)
isoenv_discover_tests(suite SERVICES user ENVIRONMENT shp)
isoenv_add_service(user COMMAND node)
