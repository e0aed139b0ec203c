# isoenv_add_service(user): READY_HTTP: "5s" is one value too many
isoenv_add_service(user COMMAND node PORTS http READY_HTTP http / 200 body 5s)
