# isoenv_add_service(user): USER: "4294967295" is not a uid from 0 to 4294967294
isoenv_add_service(user COMMAND node USER 4294967295)
