# isoenv_attach: TESTS: there is no test "Suite.Case" in
# and those that a program is asked for isoenv_discover_tests()
isoenv_attach(TESTS Suite.Case SERVICES user)
