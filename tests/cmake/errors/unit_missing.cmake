# isoenv_add_service(user): READY_TIMEOUT: "30" has no unit, did you mean "30s"?
isoenv_add_service(user COMMAND node READY_TIMEOUT 30)
