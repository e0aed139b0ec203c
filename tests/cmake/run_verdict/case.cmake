# A test fails when its services did, and its service's `down` for what comes at the end.
require_isoenv()
configure_running(run_verdict)

run_ctest(-R "^(allowed|expected|hit|meant|attached.(paused|expected|allowed))")
if(NOT result EQUAL 0)
  message(FATAL_ERROR "what is meant has failed a test\n${output}")
endif()

run_ctest(-V -R hit.late)
expect_contains("the output" "${output}" "the fault 'pause:hit@5m' never came")

run_ctest(-R "^attached.neither")
foreach(scope IN ITEMS TEST RUN)
  expect_contains("the output" "${output}" "attached.neither.${scope} (Failed)")
endforeach()
expect_contains("the output" "${output}" "ended while it should have been up: exit code 3")

run_ctest(-R "^rough")
expect_contains("the output" "${output}" "isoenv.verdict.rough.down (Failed)")
expect_contains("the output" "${output}" "rough.own (Failed)")
expect_contains("the output" "${output}" "ended badly when it was stopped: exit code 3")
expect_contains("the output" "${output}" "the test fails, although its command ended with 0")
expect_lacks("the output" "${output}" "rough.shared (Failed)")
expect_nothing_left()
