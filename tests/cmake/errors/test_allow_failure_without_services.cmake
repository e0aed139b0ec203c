# isoenv_add_test(t): "ALLOW_FAILURE" is given, but no "SERVICES"
isoenv_add_test(NAME t COMMAND true SCOPE TEST ALLOW_FAILURE user)
