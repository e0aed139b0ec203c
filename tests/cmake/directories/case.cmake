# An environment may be spread over directories; its fixtures are tests of the top-level one.
configure_project(ARGS "-DISOENV_EXECUTABLE=${STAND_IN}")
read_tests()
test_property(value first.test FIXTURES_REQUIRED)
expect_equal("the fixtures" "${value}" "isoenv.shared.a | isoenv.shared.b | isoenv.shared.c")
test_names(names)
expect_contains("the tests" "${names}" "isoenv.shared.c.up")
expect_contains("the tests" "${names}" "isoenv.first.own.up")

read_spec(spec shared)
string(JSON word GET "${spec}" services b command 0)
expect_equal("the program of b" "${word}" "${CASE_DIR}/second/b.sh")
string(JSON word GET "${spec}" services b working_directory)
expect_equal("the directory of b" "${word}" "${BUILD_DIR}/second/data")
string(JSON word GET "${spec}" services a working_directory)
expect_equal("the directory of a" "${word}" "${BUILD_DIR}/first")
read_spec(spec first)

# Below the top there are no fixtures: `isoenv exec` says so when the test is run there.
set(BUILD_DIR "${BUILD_DIR}/first")
read_tests()
test_names(names)
expect_equal("the tests below the top" "${names}" "first.test")

# Testing that is enabled only below the top is worth a warning.
configure_project(BUILD "${WORK_DIR}/below" ARGS "-DISOENV_EXECUTABLE=${STAND_IN}" -DONLY_BELOW=ON)
expect_contains("the output" "${output}"
  "testing is enabled in the directory of first/CMakeLists.txt but not in the top-level directory")
expect_contains("the output" "${output}" "add enable_testing() to the top-level CMakeLists.txt")
