# Where CTest does not run the clean-up, or not the set-up.
require_isoenv()
configure_stack(-DOWN=1 -DFAILING=ON)

run_ctest(-j 4 --stop-on-failure)
expect_greater("the exit code of a failing run" "${result}" 0)
expect_nothing_left()

# What it tells of the failed test repeats just that, and what it says is there.
run_ctest(-R "^failing$")
if(NOT output MATCHES "isoenv: to repeat it alone: (ctest [^\n]*)")
  message(FATAL_ERROR "no word of how to repeat the test:\n${output}")
endif()
set(repeat "${CMAKE_MATCH_1}")
expect_contains("the command" "${repeat}" "--test-dir ${BUILD_DIR} -R '^failing$'")
if(NOT output MATCHES "meanwhile: ([^\n]*)/README.txt")
  message(FATAL_ERROR "no word of what the services did:\n${output}")
endif()
set(bundle "${CMAKE_MATCH_1}")
file(READ "${bundle}/README.txt" readme)
expect_contains("the summary" "${readme}" "Test 'failing' failed: exit code 1.")
expect_contains("the summary" "${readme}" "front")
get_filename_component(folder "${CTEST}" DIRECTORY)
execute_process(COMMAND "${CMAKE_COMMAND}" -E env "PATH=${folder}:$ENV{PATH}" sh -c "${repeat}"
  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
expect_greater("the exit code of the repetition" "${result}" 0)
if(NOT output MATCHES " failing \\.+\\*\\*\\*Failed")
  message(FATAL_ERROR "the repetition is another test:\n${output}")
endif()
expect_nothing_left()

# Below the top-level directory the fixtures are not known to CTest.
execute_process(COMMAND "${CTEST}" --output-on-failure WORKING_DIRECTORY "${BUILD_DIR}/below"
  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
expect_greater("the exit code of a run below the top" "${result}" 0)
expect_contains("the output" "${output}" "below.shared (Failed)")
expect_contains("the output" "${output}" "isoenv/stack.json' is up in this ctest run")
expect_contains("the output" "${output}" "ctest must be started at the top of the build tree")
expect_nothing_left()

# A service that does not come up fails its set-up, and its tests do not run.
execute_process(COMMAND "${CMAKE_COMMAND}" -DTEST_SERVICE=/nowhere/test_service "${BUILD_DIR}"
  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
run_ctest(-R ^shared.store)
expect_greater("the exit code" "${result}" 0)
expect_contains("the output" "${output}" "/nowhere/test_service")
expect_contains("the output" "${output}" "shared.store (Not Run)")
expect_nothing_left()
