# The cases of a GoogleTest suite, discovered when ctest starts: no service is up then.
include("${CASE_DIR}/../suite/expect.cmake")
require_isoenv()
configure_suite(-DPRE_TEST=ON)
build_suite()
file(GLOB lists "${BUILD_DIR}/suite*_tests.cmake")
list(LENGTH lists count)
expect_equal("the number of lists made by the build" ${count} 1)
expect_suite()
