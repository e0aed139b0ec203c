# isoenv_attach: TESTS: "ready" was added by isoenv_add_test(): give its services there
isoenv_add_test(NAME ready COMMAND true SERVICES user)
isoenv_attach(TESTS ready SERVICES other)
