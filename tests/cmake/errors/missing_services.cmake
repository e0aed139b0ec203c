# isoenv_add_test(probe): "SERVICES" is missing (with SCOPE TEST it may be
isoenv_add_test(NAME probe COMMAND probe)
