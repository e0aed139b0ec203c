# The client library, installed, moved elsewhere and linked; then a suite that is started by hand.
install_isoenv_and_move("${WORK_DIR}/prefix")

# What is installed needs nothing that the consumer must have found.
file(GLOB headers "${WORK_DIR}/prefix/include/isoenv/*.h")
foreach(header IN LISTS headers)
  file(READ "${header}" text)
  expect_lacks("${header}" "${text}" "boost")
  expect_lacks("${header}" "${text}" "nlohmann")
endforeach()
file(READ "${WORK_DIR}/prefix/share/cmake/IsoEnv/IsoEnvTargets.cmake" text)
expect_lacks("the targets" "${text}" "nlohmann")
expect_lacks("the targets" "${text}" "${ISOENV_SOURCE_DIR}")

configure_project(ARGS "-DCMAKE_PREFIX_PATH=${WORK_DIR}/prefix")
build_project()

set(ENV{ISOENV_RUNTIME_DIR} "${RUNTIME_DIR}")
require_isoenv()
expect_passed()
read_tests()
test_names(names)
expect_equal("the tests" "${names}" "ConsumerTest.FindsItsService;bare.ConsumerTest.FindsItsService;\
isoenv.consumer.idle.down;isoenv.consumer.idle.up")

# Nothing tells the program where isoenv is: it is the one that the library came with.
execute_process(COMMAND "${BUILD_DIR}/consumer_test" RESULT_VARIABLE result
  OUTPUT_VARIABLE output ERROR_VARIABLE output)
expect_equal("the result" "${result}" 1)
expect_contains("the output" "${output}" "no instance")
execute_process(COMMAND "${WORK_DIR}/prefix/bin/isoenv" up -f "${BUILD_DIR}/isoenv/consumer.json"
    --artefacts "${WORK_DIR}/artefacts" --name hand --owner none
  OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
expect_equal("the result of up (${output})" "${result}" 0)
execute_process(COMMAND "${BUILD_DIR}/consumer_test" RESULT_VARIABLE result
  OUTPUT_VARIABLE output ERROR_VARIABLE output)
execute_process(COMMAND "${WORK_DIR}/prefix/bin/isoenv" down --name hand
  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
expect_equal("the result (${output})" "${result}" 0)
expect_contains("the output" "${output}" "joined the instance of 'consumer'")
