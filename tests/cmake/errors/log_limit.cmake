# isoenv_add_service(user): LOG_LIMIT: "64MB" is not a size such as "512KiB", "64MiB" or "1GiB"
isoenv_add_service(user COMMAND node LOG_LIMIT 64MB)
