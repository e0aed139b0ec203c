# isoenv_attach: DIRECTORY: "/nowhere" is not a directory of this project, or not yet
isoenv_attach(TESTS ready SERVICES user DIRECTORY /nowhere)
