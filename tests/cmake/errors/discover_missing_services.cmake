# isoenv_discover_tests(suite): "SERVICES" is missing (with SCOPE TEST it may be
add_executable(suite suite.cc)
isoenv_discover_tests(suite)
