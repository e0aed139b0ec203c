# PRESTART: in a run of all tests the first `up` starts what the others will ask for.
require_isoenv()

# The events of the last instance.
function(read_events)
  file(GLOB logs "${BUILD_DIR}/isoenv/ahead/latest/isoenv.log")
  file(READ "${logs}" text)
  set(events "${text}" PARENT_SCOPE)
endfunction()

configure_running(run_prestart -DSECOND_IS_AWAITED=1)
read_tests()
test_command(command isoenv.ahead.first.up)
expect_contains("the command of up" "${command}" " | --prestart | ${BUILD_DIR}/isoenv/ahead.prestart | first")
file(READ "${BUILD_DIR}/isoenv/ahead.prestart" names)
expect_equal("what is started ahead" "${names}" "first\nsecond\n")
expect_passed(-j 1)
read_events()
expect_matches("the events" "${events}" "second: started.*'uses.first' ends")
expect_lacks("the events" "${events}" "unused: started")
expect_nothing_left()

# A selection, even of all, starts nothing ahead: after the first test nothing is up any more.
configure_running(run_prestart -DSECOND_IS_AWAITED=0)
expect_passed(-j 1 -R .)
read_events()
expect_lacks("the events" "${events}" "uses.first")
expect_contains("the events" "${events}" "second: started")
expect_nothing_left()

# A failure is that of the `up` that wanted the service, and told once; the others go on.
configure_running(run_prestart -DSECOND_IS_AWAITED=0 -DBAD=1)
run_ctest(-j 1)
expect_equal("the result" "${result}" 8)
expect_matches("the output" "${output}" "isoenv.ahead.bad.up +\\.*\\**Failed")
expect_contains("the output" "${output}" "bad: ended before it was ready: exit code 3")
expect_contains("the output" "${output}" "| no luck")
expect_matches("the output" "${output}" "uses.bad +\\.*\\**Not Run")
foreach(test IN ITEMS uses.first uses.second isoenv.ahead.first.down isoenv.ahead.second.down)
  expect_matches("the output" "${output}" "${test} \\.+ +Passed")
endforeach()
expect_nothing_left()
