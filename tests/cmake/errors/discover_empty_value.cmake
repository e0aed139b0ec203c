# isoenv_discover_tests(suite): EXTRA_ARGS: "" cannot be used: the discovery of gtest does not hand on an empty word
add_executable(suite suite.cc)
isoenv_discover_tests(suite SERVICES user EXTRA_ARGS a "" b)
