# Two ctest runs at once in one build tree are two instances that do not see each other.
require_isoenv()
configure_stack(-DOWN=4)
execute_process(
  COMMAND "${CTEST}" --output-on-failure -j 4 -O "${WORK_DIR}/first.log"
  COMMAND "${CTEST}" --output-on-failure -j 4 -O "${WORK_DIR}/second.log"
  WORKING_DIRECTORY "${BUILD_DIR}" RESULTS_VARIABLE results OUTPUT_QUIET ERROR_QUIET)
foreach(run IN ITEMS first second)
  file(READ "${WORK_DIR}/${run}.log" output)
  expect_contains("the ${run} run" "${output}" "100% tests passed")
  expect_lacks("the ${run} run" "${output}" "Skipped")
endforeach()
expect_equal("the exit codes" "${results}" "0;0")
expect_nothing_left()
