# isoenv_add_test(t): EXPECT_EXIT: "user" is not an end of a service such as "order:3" or "order:SIGKILL"
isoenv_add_service(user COMMAND node)
isoenv_add_test(NAME t COMMAND true SERVICES user EXPECT_EXIT user:3 user)
