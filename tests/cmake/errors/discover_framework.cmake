# isoenv_discover_tests(suite): FRAMEWORK: unknown value "catch", did you mean "catch2"?
add_executable(suite suite.cc)
isoenv_discover_tests(suite FRAMEWORK catch SERVICES user)
