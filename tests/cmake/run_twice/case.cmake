# Two ctest runs at once in one build tree are two instances that do not see each other.
require_isoenv()
configure_stack(-DOWN=4)
execute_process(
  COMMAND sh -c "\"$0\" --output-on-failure -j 4 >first.log 2>&1 & first=$!
    \"$0\" --output-on-failure -j 4 >second.log 2>&1; second=$?
    wait $first && exit $second" "${CTEST}"
  WORKING_DIRECTORY "${BUILD_DIR}" RESULT_VARIABLE result)
foreach(run IN ITEMS first second)
  file(READ "${BUILD_DIR}/${run}.log" output)
  expect_contains("the ${run} run" "${output}" "100% tests passed")
  expect_lacks("the ${run} run" "${output}" "Skipped")
endforeach()
expect_equal("the exit code" "${result}" 0)
expect_nothing_left()
