# isoenv_discover_tests(suite): unknown word "DISCOVERY_MOD" after EXTRA_ARGS, did you mean "DISCOVERY_MODE"?
add_executable(suite suite.cc)
isoenv_discover_tests(suite SERVICES user EXTRA_ARGS --a DISCOVERY_MOD PRE_TEST)
