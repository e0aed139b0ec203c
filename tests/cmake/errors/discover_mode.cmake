# isoenv_discover_tests(suite): DISCOVERY_MODE: unknown value "PRETEST", did you mean "PRE_TEST"?
add_executable(suite suite.cc)
isoenv_discover_tests(suite SERVICES user DISCOVERY_MODE PRETEST)
