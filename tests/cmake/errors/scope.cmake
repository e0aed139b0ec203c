# isoenv_add_test(probe): SCOPE: unknown value "TESTS", did you mean "TEST"?
isoenv_add_test(NAME probe COMMAND probe SCOPE TESTS)
