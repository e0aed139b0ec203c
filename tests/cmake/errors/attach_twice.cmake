# isoenv_attach: TESTS: "ready" is attached already
add_test(NAME ready COMMAND true)
isoenv_attach(TESTS ready SERVICES user)
isoenv_attach(TESTS ready SCOPE TEST)
