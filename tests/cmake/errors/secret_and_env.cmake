# isoenv_add_service(user): SECRET_ENV: "TOKEN" stands in ENV too
isoenv_add_service(user COMMAND node SECRET_ENV TOKEN ENV A=1 TOKEN=x)
