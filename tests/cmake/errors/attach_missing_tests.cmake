# isoenv_attach: "TESTS" is missing
isoenv_attach(SERVICES user)
