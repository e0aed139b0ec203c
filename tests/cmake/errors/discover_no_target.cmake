# isoenv_discover_tests(siute): there is no target "siute", did you mean "suite"?
add_executable(suite suite.cc)
isoenv_discover_tests(siute SERVICES user)
