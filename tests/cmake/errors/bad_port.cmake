# isoenv_add_service(user): PORTS: "LOCALHOSTS" is not a name: 1 to 63 of a-z, 0-9 and "-", with no "-" at either end, did you mean the word "LOCALHOST"?
isoenv_add_service(user COMMAND node PORTS http LOCALHOSTS http)
