# isoenv_add_test(t): EXPECT_EXIT: "user:256" is not an end of a service
isoenv_add_service(user COMMAND node)
isoenv_add_test(NAME t COMMAND true SERVICES user EXPECT_EXIT user:256)
