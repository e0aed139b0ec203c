# isoenv_add_test(probe): SERVICES: "user" is given twice
isoenv_add_test(NAME probe COMMAND probe SERVICES user user)
