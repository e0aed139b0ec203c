# isoenv_discover_tests(suite): EXTRA_ARGS: "a;b" cannot be used: the discovery of gtest does not hand on a ";"
add_executable(suite suite.cc)
isoenv_discover_tests(suite SERVICES user EXTRA_ARGS "a;b")
