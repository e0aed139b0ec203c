# isoenv_add_test: "NAME" is missing
isoenv_add_test(COMMAND probe SERVICES user)
