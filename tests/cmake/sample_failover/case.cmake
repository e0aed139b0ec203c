# The sample, as a project of somebody who has IsoEnv installed.
install_isoenv("${WORK_DIR}/prefix")
configure_project(SOURCE "${ISOENV_SOURCE_DIR}/samples/failover" ARGS
  "-DCMAKE_PREFIX_PATH=${WORK_DIR}/prefix" ${BUILD_FLAGS})
build_project()
set(ENV{ISOENV_RUNTIME_DIR} "${RUNTIME_DIR}")
require_isoenv()
expect_passed(-j 2)
