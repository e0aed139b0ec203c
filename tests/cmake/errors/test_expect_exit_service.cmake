# isoenv_attach in test_expect_exit_service.cmake: EXPECT_EXIT: there is no service "usr" in environment "shop", did you mean "user"?
isoenv_add_service(user COMMAND node)
add_test(NAME t COMMAND true)
isoenv_attach(TESTS t SERVICES user EXPECT_EXIT usr:3)
