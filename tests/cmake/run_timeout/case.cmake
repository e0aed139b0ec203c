# A test that ctest kills at its time-out leaves what its services did, and somebody says where.
require_isoenv()
configure_running(run_timeout)

run_ctest(-j 5 -E "^deaf")
foreach(name IN ITEMS hangs.shared hangs.own attached)
  expect_matches("the output" "${output}" "${name} \\(Timeout\\)")
  # Since CMake 3.27 it can say so itself.
  if(CMAKE_VERSION VERSION_GREATER_EQUAL 3.27)
    expect_contains("the output" "${output}"
      "test '${name}' failed (killed by SIGTERM, as by ctest at a time-out); what its services did meanwhile: ")
  endif()
endforeach()
expect_nothing_left()

run_ctest(-V -R "^deaf.shared")
expect_contains("the output" "${output}"
  "test 'deaf.shared' failed (killed, with its isoenv, before it ended)")
expect_contains("the output" "${output}" "-R '^deaf\\.shared$'")
expect_nothing_left()

# Nobody is left to say it but the merged log.
run_ctest(-R "^deaf.own")
expect_nothing_left()
file(READ "${BUILD_DIR}/isoenv/timeout/tests/deaf.own/latest/isoenv.log" log)
expect_matches("the merged log" "${log}" "what its services did meanwhile: [^\n]*/README.txt")
string(REGEX REPLACE ".*meanwhile: ([^\n]*/README.txt).*" "\\1" readme "${log}")
file(READ "${readme}" text)
expect_matches("the README" "${text}" "^Test 'deaf.own' failed: killed, with its isoenv")
