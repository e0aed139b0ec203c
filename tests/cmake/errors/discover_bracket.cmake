# isoenv_discover_tests(suite): PROPERTIES PASS_REGULAR_EXPRESSION: "\[ OK" cannot be used: the discovery of gtest does not hand on a square bracket
add_executable(suite suite.cc)
isoenv_discover_tests(suite SERVICES user PROPERTIES PASS_REGULAR_EXPRESSION "\\[ OK")
