# isoenv_discover_tests(suite): PROPERTIES ENVIRONMENT: "shop" is not NAME=VALUE; ENVIRONMENT with the name of an environment stands before PROPERTIES
add_executable(suite suite.cc)
isoenv_discover_tests(suite SERVICES user PROPERTIES COST 5 ENVIRONMENT shop)
