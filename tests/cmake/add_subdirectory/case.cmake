# Part of a build, and excluded from "all" but for the program that the tests need.
configure_project(ARGS "-DISOENV_SOURCE_DIR=${ISOENV_SOURCE_DIR}")
# Only said, not done: make then misses the first library, and stops after the program's sources.
execute_process(COMMAND "${CMAKE_COMMAND}" --build "${BUILD_DIR}" -- -n
  OUTPUT_VARIABLE output ERROR_VARIABLE output)
expect_contains("the plan of the build" "${output}" "harness/CMakeFiles/isoenv.dir/main.cc.o")
expect_lacks("the plan of the build" "${output}" "/bench/")
read_tests()
test_names(names)
expect_equal("the tests" "${names}" "isoenv.consumer.idle.down;isoenv.consumer.idle.up;shared")
file(READ "${BUILD_DIR}/CTestTestfile.cmake" tests)
expect_contains("the tests" "${tests}" "${BUILD_DIR}/third_party/harness/isoenv\" \"up\"")
# The consumer's installation is its own.
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${BUILD_DIR}" --prefix "${WORK_DIR}/prefix"
  OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
file(GLOB installed "${WORK_DIR}/prefix/*")
expect_equal("what is installed" "${installed}" "")
