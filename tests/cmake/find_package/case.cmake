# Installed, then found by a project without languages, and moved elsewhere in between.
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${ISOENV_BINARY_DIR}"
    --config "${CONFIGURATION}" --prefix "${WORK_DIR}/staging"
  OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "installing failed:\n${output}")
endif()
file(RENAME "${WORK_DIR}/staging" "${WORK_DIR}/prefix")

configure_project(ARGS "-DCMAKE_PREFIX_PATH=${WORK_DIR}/prefix")
read_tests()
test_command(command shared)
expect_matches("the command" "${command}" "^${WORK_DIR}/prefix/bin/isoenv \\| exec ")
test_command(command isoenv.consumer.idle.up)
expect_matches("the command" "${command}" "^${WORK_DIR}/prefix/bin/isoenv \\| up ")
if(NOT EXISTS "${WORK_DIR}/prefix/share/isoenv/isoenv.schema.json")
  message(FATAL_ERROR "the schema is not installed")
endif()

set(ENV{ISOENV_RUNTIME_DIR} "${RUNTIME_DIR}")
require_isoenv()
expect_passed()
