# Installed, then found by a project without languages, and moved elsewhere in between.
install_isoenv_and_move("${WORK_DIR}/prefix")

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
