# The cases of a GoogleTest suite, discovered by make.
include("${CASE_DIR}/../suite/expect.cmake")
require_isoenv()
set(GENERATOR "Unix Makefiles")
find_program(make make NO_CACHE REQUIRED)
set(MAKE_PROGRAM "${make}")
configure_suite()
build_suite()
expect_suite()
