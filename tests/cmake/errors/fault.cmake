# isoenv_add_test(t): FAULTS: "puase:user@1s" is not a fault such as "pause:order@200ms+1s"
isoenv_add_service(user COMMAND node)
isoenv_add_test(NAME t COMMAND true SERVICES user FAULTS puase:user@1s)
