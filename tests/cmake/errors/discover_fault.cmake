# isoenv_discover_tests(suite) in discover_fault.cmake: FAULTS: there is no service "usr" in environment "shop", did you mean "user"?
enable_language(CXX)
add_executable(suite suite.cc)
isoenv_add_service(user COMMAND node)
isoenv_discover_tests(suite SERVICES user FAULTS pause:usr@1s DISCOVERY_MODE PRE_TEST)
