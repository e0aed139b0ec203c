# isoenv_discover_tests(suite): unknown word "SERVICE", did you mean "SERVICES"?
add_executable(suite suite.cc)
isoenv_discover_tests(suite SERVICE user)
