# The cases of a GoogleTest suite, discovered after the build.
include("${CASE_DIR}/../suite/expect.cmake")
require_isoenv()
configure_suite()
expect_lacks("the output" "${output}" "Warning")
build_suite()
expect_suite()

# The logs of a test with an instance of its own are in a folder of its own.
expect_passed(-R "^own\\.")
file(GLOB folders RELATIVE "${BUILD_DIR}/isoenv/suite/tests/suite"
  "${BUILD_DIR}/isoenv/suite/tests/suite/*")
expect_matches("the folders of own tests" "${folders}" "^Hit\\.ByAPause-[0-9a-f]+;Service\\.Answers-[0-9a-f]+$")
