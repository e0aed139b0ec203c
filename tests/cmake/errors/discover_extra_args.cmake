# isoenv_discover_tests(suite): DISCOVERY_EXTRA_ARGS: gtest_discover_tests() has it from CMake 3.31 on
add_executable(suite suite.cc)
set(CMAKE_VERSION 3.30) # in newer ones it is there
isoenv_discover_tests(suite SERVICES user DISCOVERY_EXTRA_ARGS --a)
