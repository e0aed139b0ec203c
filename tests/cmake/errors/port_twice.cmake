# isoenv_add_service(user): PORTS: "8080/tcp" is given twice
isoenv_add_service(user COMMAND node PORTS http:8080 admin:8080)
