# isoenv_attach: TESTS: there is no test "raedy" in
# , did you mean "ready"?
add_test(NAME ready COMMAND true)
isoenv_attach(TESTS raedy SERVICES user)
