# isoenv_add_test(t): FAULTS: "pause=TERM:user@1s": only "kill" has a signal
isoenv_add_service(user COMMAND node)
isoenv_add_test(NAME t COMMAND true SERVICES user FAULTS pause=TERM:user@1s)
