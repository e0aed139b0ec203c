# isoenv_discover_tests(suite): the target "suite" is one of
# call isoenv_discover_tests() there, or give DISCOVERY_MODE PRE_TEST
add_subdirectory(elsewhere)
isoenv_discover_tests(suite SERVICES user)
