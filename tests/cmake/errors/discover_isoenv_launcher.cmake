# is isoenv already: unset it, or register the tests without isoenv_discover_tests()
add_executable(suite suite.cc)
set_target_properties(suite PROPERTIES
  TEST_LAUNCHER "/usr/bin/isoenv;run;--" CROSSCOMPILING_EMULATOR "/usr/bin/isoenv;run;--")
isoenv_discover_tests(suite SERVICES user)
