# isoenv_discover_tests(my::suite): the target "my::suite" is an alias: name "suite" itself
add_executable(suite suite.cc)
add_executable(my::suite ALIAS suite)
isoenv_discover_tests(my::suite SERVICES user)
