# The README's first CMakeLists.txt, pasted into an empty folder beside IsoEnv.
file(READ "${ISOENV_SOURCE_DIR}/README.md" readme)
string(FIND "${readme}" "```cmake\n" begin)
expect_greater("the place of a CMake block in README.md" ${begin} 0)
math(EXPR begin "${begin} + 9")
string(SUBSTRING "${readme}" ${begin} -1 readme)
string(FIND "${readme}" "```" end)
string(SUBSTRING "${readme}" 0 ${end} code)
file(WRITE "${WORK_DIR}/source/CMakeLists.txt" "${code}")
# A package as find_package() would find it, without an installation.
file(WRITE "${WORK_DIR}/package/IsoEnvConfig.cmake"
  "include(\"${ISOENV_SOURCE_DIR}/cmake/IsoEnv.cmake\")\n")

configure_project(SOURCE "${WORK_DIR}/source"
  ARGS "-DIsoEnv_DIR=${WORK_DIR}/package" "-DISOENV_EXECUTABLE=${STAND_IN}")
expect_lacks("the output" "${output}" "Warning")
read_tests()
test_names(names)
expect_matches("the tests" "${names}" "isoenv\\.[a-z-]+\\.[a-z-]+\\.up")
file(GLOB specs "${BUILD_DIR}/isoenv/*.json")
list(LENGTH specs count)
expect_equal("the number of specs" ${count} 1)
