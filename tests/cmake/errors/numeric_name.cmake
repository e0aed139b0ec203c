# isoenv_add_service(user): ALIASES: the name "0x7f" reads as an IP address
isoenv_add_service(user COMMAND node ALIASES 0x7f)
