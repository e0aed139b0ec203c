# The sample, as a project of somebody who has IsoEnv installed.
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${ISOENV_BINARY_DIR}"
    --config "${CONFIGURATION}" --prefix "${WORK_DIR}/prefix"
  OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "installing failed:\n${output}")
endif()
configure_project(SOURCE "${ISOENV_SOURCE_DIR}/samples/failover" ARGS
  "-DCMAKE_PREFIX_PATH=${WORK_DIR}/prefix" ${BUILD_FLAGS})
execute_process(COMMAND "${CMAKE_COMMAND}" --build "${BUILD_DIR}"
  OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "building failed:\n${output}")
endif()
set(ENV{ISOENV_RUNTIME_DIR} "${RUNTIME_DIR}")
require_isoenv()
expect_passed(-j 2)
