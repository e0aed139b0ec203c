# isoenv_add_service(user): PORTS log:514/upd: unknown value "upd", did you mean "udp"?
isoenv_add_service(user COMMAND node PORTS log:514/upd)
