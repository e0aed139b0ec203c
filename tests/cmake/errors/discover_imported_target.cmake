# isoenv_discover_tests(suite): the target "suite" is not an executable of this project
add_executable(suite IMPORTED)
isoenv_discover_tests(suite SERVICES user)
