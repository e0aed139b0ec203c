# isoenv_discover_tests(suite): there is no target "suite"; add_executable() must come first
isoenv_discover_tests(suite SERVICES user)
add_executable(suite suite.cc)
