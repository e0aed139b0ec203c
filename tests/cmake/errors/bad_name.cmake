# isoenv_add_service(User_Service): name: "User_Service" is not a name: 1 to 63 of a-z, 0-9 and "-"
isoenv_add_service(User_Service COMMAND node)
