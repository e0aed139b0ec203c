# isoenv_add_test(t): FAULTS: "restart:user@1s+1s": only "pause", "kill" and "stop" last
isoenv_add_service(user COMMAND node)
isoenv_add_test(NAME t COMMAND true SERVICES user FAULTS restart:user@1s+1s)
