# isoenv_add_service(user): ENV: "DEPEND" is not NAME=VALUE with a name of letters, digits and "_", did you mean the word "DEPENDS"?
isoenv_add_service(user COMMAND node ENV A=b DEPEND order)
