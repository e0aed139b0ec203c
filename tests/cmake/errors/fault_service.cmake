# isoenv_add_test(t) in fault_service.cmake: FAULTS: there is no service "usr" in environment "shop", did you mean "user"?
isoenv_add_service(user COMMAND node)
isoenv_add_test(NAME t COMMAND true SERVICES user FAULTS pause:usr@1s)
