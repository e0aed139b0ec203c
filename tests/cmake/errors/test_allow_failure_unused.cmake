# isoenv_add_test(t) in test_allow_failure_unused.cmake: ALLOW_FAILURE: the test does not use the service "gateway", which cannot fail it
isoenv_add_service(user COMMAND node)
isoenv_add_service(gateway COMMAND node DEPENDS user)
isoenv_add_test(NAME t COMMAND true SERVICES user ALLOW_FAILURE gateway)
