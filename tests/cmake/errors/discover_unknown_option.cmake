# isoenv_discover_tests(suite): unknown word "TEST_PREFFIX", did you mean "TEST_PREFIX"?
add_executable(suite suite.cc)
isoenv_discover_tests(suite SCOPE TEST TEST_PREFFIX a.)
