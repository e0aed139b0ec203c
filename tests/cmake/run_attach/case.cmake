# Tests that add_test() has registered, attached to an environment.
require_isoenv()
configure_running(attach)
expect_lacks("the output" "${output}" "Warning")

read_tests()
test_command(command target)
expect_equal("the command of target" "${command}"
  "${ISOENV_EXECUTABLE} | exec | --file | ${BUILD_DIR}/isoenv/attach.json | --service | front | --test | target | -- | ${TEST_SERVICE} | tcp_ask | any | front | 80 | hello")
test_property(value script FIXTURES_REQUIRED)
expect_equal("the fixtures of script" "${value}"
  "isoenv.attach.front | isoenv.attach.store | users")
test_property(value own FIXTURES_REQUIRED)
expect_equal("the fixtures of own" "${value}" "")
test_command(command other)
expect_lacks("the command of other" "${command}" "${ISOENV_EXECUTABLE}")

run_ctest(-j 4)
string(REGEX MATCH "The following tests did not run:.*" summary "${output}")
string(REGEX MATCHALL "[a-z]+ \\([A-Z][A-Za-z ]*\\)" verdicts "${summary}")
expect_equal("the verdicts of\n${output}\nthat are no success" "${verdicts}"
  "skips (Skipped);fails (Failed)")
expect_contains("the output" "${output}" "isoenv.attach.front.up")
expect_nothing_left()

# Below the top-level directory there are no fixtures: the test fails and does not run outside.
set(BUILD_DIR "${BUILD_DIR}/below")
run_ctest(-R "^below$")
expect_contains("the output" "${output}" "no instance")
expect_contains("the output" "${output}" "(Failed)")
expect_passed(-R "^other$")

# Each configuration has its own tests and its own instance.
set(GENERATOR "Ninja Multi-Config")
set(MAKE_PROGRAM "${NINJA}")
file(REMOVE_RECURSE "${WORK_DIR}/build")
configure_running(attach)
expect_passed(-C Release -R "^(release|own|target|below)$")
expect_matches("the output" "${output}" "release [. ]*Passed")
read_tests(-C Debug)
test_command(command target)
expect_contains("the command of target" "${command}" "/isoenv/attach.Debug.json | ")
expect_nothing_left()
