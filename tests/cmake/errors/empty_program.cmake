# isoenv_add_service(user): the name of the program is empty
isoenv_add_service(user COMMAND "" server.js)
