# isoenv_discover_tests(suite): FRAMEWORK doctest: there is no doctest_discover_tests(); find_package(doctest) and include(doctest) before
add_executable(suite suite.cc)
isoenv_discover_tests(suite FRAMEWORK doctest SERVICES user)
