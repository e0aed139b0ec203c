# ctest ends at once by any signal and cleans nothing up: the instances end all the same, and with
# them the tests that ctest has left as orphans.
require_isoenv()
configure_stack(-DOWN=1 "-DHOLD=${WORK_DIR}/hold")
foreach(signal IN ITEMS INT TERM KILL)
  file(REMOVE "${WORK_DIR}/hold" "${WORK_DIR}/hold.own" "${WORK_DIR}/hold.alone")
  execute_process(COMMAND sh "${CASE_DIR}/interrupt.sh" ${signal} "${WORK_DIR}/hold"
      "${CTEST}" -j 8 --timeout 60
    WORKING_DIRECTORY "${BUILD_DIR}"
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "SIG${signal}: ${result}\n${output}")
  endif()
  expect_nothing_left()
endforeach()
