# isoenv_add_service(user): READY_HTTP: there is no port "htp" in PORTS, did you mean "http"?
isoenv_add_service(user COMMAND node PORTS http READY_HTTP htp /)
