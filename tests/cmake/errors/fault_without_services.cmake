# isoenv_add_test(t): "FAULTS" is given, but no "SERVICES"
isoenv_add_test(NAME t COMMAND true SCOPE TEST FAULTS pause:user@1s)
