# isoenv_add_test(probe): "ENVIRONMENT" is given, but no "SERVICES" of it
isoenv_add_test(NAME probe COMMAND probe SCOPE TEST ENVIRONMENT shop)
