# isoenv_add_test: unknown word "my_test"; known: NAME, COMMAND, SERVICES
isoenv_add_test(my_test COMMAND probe SERVICES user)
