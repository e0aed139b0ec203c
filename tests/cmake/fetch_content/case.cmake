# Fetched, built and used. The sources are those at hand.
set(ENV{CCACHE_NOHASHDIR} 1)
unset(ENV{CCACHE_BASEDIR})
configure_project(ARGS "-DFETCHCONTENT_SOURCE_DIR_ISOENV=${ISOENV_SOURCE_DIR}" ${BUILD_FLAGS})
execute_process(COMMAND "${CMAKE_COMMAND}" --build "${BUILD_DIR}" --parallel 2
  OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "building failed:\n${output}")
endif()
set(ENV{ISOENV_RUNTIME_DIR} "${RUNTIME_DIR}")
require_isoenv()
expect_passed(-j 2)
