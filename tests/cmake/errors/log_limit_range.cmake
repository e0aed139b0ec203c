# isoenv_add_service(user): LOG_LIMIT: "1KiB" is not from 256KiB to 1024GiB
isoenv_add_service(user COMMAND node LOG_LIMIT 1KiB)
