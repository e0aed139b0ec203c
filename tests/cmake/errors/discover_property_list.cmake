# isoenv_discover_tests(suite): PROPERTIES: "b" is not the name of a property; a value that is a list is one quoted word, "a;b"
add_executable(suite suite.cc)
isoenv_discover_tests(suite SERVICES user PROPERTIES LABELS a b)
