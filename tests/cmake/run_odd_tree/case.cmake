# Build trees in odd places: of any name, copied, without the original, and write-protected.
require_isoenv()
configure_stack()

# CMake itself takes a backslash for a slash.
set(odd "${WORK_DIR}/sp ace 'tick' \"quote\" semi;colon $HOME [b]r(a)c{k}et %20 #1 grüße 世界")
configure_project(SOURCE "${CASE_DIR}/../stack" BUILD "${odd}" ARGS
  "-DISOENV_EXECUTABLE=${ISOENV_EXECUTABLE}" "-DTEST_SERVICE=${TEST_SERVICE}" -DOWN=1)
expect_passed(-j 4)
file(GLOB latest "${WORK_DIR}/sp ace*/isoenv/stack/latest/isoenv.log")
expect_matches("the log" "${latest}" "grüße 世界/isoenv/stack/latest")

# A copy runs what the original is, as CTest's own files do, without disturbing it.
set(original "${WORK_DIR}/build")
set(BUILD_DIR "${original}")
execute_process(COMMAND cp -r "${original}" "${WORK_DIR}/copy" COMMAND_ERROR_IS_FATAL ANY)
set(BUILD_DIR "${WORK_DIR}/copy")
expect_passed(-j 4)

# Without the original it says which spec is missing.
file(RENAME "${original}/isoenv" "${original}/moved")
run_ctest(-R "^isoenv.stack.store.up$")
expect_contains("the copy without the original" "${output}"
  "cannot open '${original}/isoenv/stack.json'")
expect_contains("the copy without the original" "${output}" "run CMake again")
file(RENAME "${original}/moved" "${original}/isoenv")

# CTest itself needs a tree that can be written; where only our folder cannot, it is named.
execute_process(COMMAND "${DENY}" --read-only "${original}/isoenv" --
    "${CTEST}" --output-on-failure -R "^isoenv.stack.store.up$"
  WORKING_DIRECTORY "${original}" RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
expect_equal("the result in a read-only folder" "${result}" 8)
expect_contains("the refusal" "${output}"
  "cannot create the artefact directory '${original}/isoenv/stack")
expect_contains("the refusal" "${output}" "EROFS")
expect_nothing_left()
