# isoenv_add_service(user): unknown word "SECRET_ENVS" after COMMAND, did you mean "SECRET_ENV"?
isoenv_add_service(user COMMAND node SECRET_ENVS TOKEN)
