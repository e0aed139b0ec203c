# isoenv_add_test(probe): TIMEOUT: "30s" is not a number of seconds
isoenv_add_test(NAME probe COMMAND probe SCOPE TEST TIMEOUT 30s)
