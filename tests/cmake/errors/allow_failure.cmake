# isoenv_add_service(user): unknown word "TRUE"
isoenv_add_service(user COMMAND node ALLOW_FAILURE TRUE)
