# ISOENV_ISOLATION: unknown value "port", did you mean "ports"?
set(ISOENV_ISOLATION port)
isoenv_add_test(NAME probe COMMAND probe SCOPE TEST)
