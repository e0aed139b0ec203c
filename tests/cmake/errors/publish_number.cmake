# isoenv_add_service(user): PUBLISH: the port "admin" has no fixed number: write admin:<number>
isoenv_add_service(user COMMAND node PORTS http admin PUBLISH http:8080 admin)
