# isoenv_attach: FAULTS: "pause:user" is not a fault such as "pause:order@200ms+1s"
isoenv_add_service(user COMMAND node)
add_test(NAME t COMMAND true)
isoenv_attach(TESTS t SERVICES user FAULTS pause:user)
