# isoenv_add_service(user): SECRET_ENV: "TOKEN=x" is not the name of a variable: letters, digits and "_"
isoenv_add_service(user COMMAND node SECRET_ENV TOKEN=x)
