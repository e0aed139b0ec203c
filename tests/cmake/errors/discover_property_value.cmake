# isoenv_discover_tests(suite): PROPERTIES: "TIMEOUT" needs a value
add_executable(suite suite.cc)
isoenv_discover_tests(suite SERVICES user PROPERTIES LABELS a TIMEOUT)
