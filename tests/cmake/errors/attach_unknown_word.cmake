# isoenv_attach: unknown word "TEST", did you mean "TESTS"?
isoenv_attach(TEST a SERVICES user)
