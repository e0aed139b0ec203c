# isoenv_add_service(user): READY_HTTP: "ok" is not an HTTP status from 100 to 599
isoenv_add_service(user COMMAND node PORTS http READY_HTTP http / ok)
