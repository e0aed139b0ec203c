# isoenv_discover_tests(suite): PROPERTIES: unknown property "FIXTURE_REQUIRED", did you mean "FIXTURES_REQUIRED"?
add_executable(suite suite.cc)
isoenv_discover_tests(suite SERVICES user PROPERTIES TIMEOUT 5 FIXTURE_REQUIRED a)
