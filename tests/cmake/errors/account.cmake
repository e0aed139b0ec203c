# isoenv_add_service(user): USER: "a b" is not the name of an account or a uid
isoenv_add_service(user COMMAND node USER "a b")
