# isoenv_add_service(user): EXPECT_EXIT: "256" is not an exit code from 0 to 255 or a signal such as "SIGKILL"
isoenv_add_service(user COMMAND node EXPECT_EXIT 3 256)
