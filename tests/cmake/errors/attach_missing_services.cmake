# isoenv_attach: "SERVICES" is missing
add_test(NAME ready COMMAND true)
isoenv_attach(TESTS ready)
