# The sample, as a project of somebody who has IsoEnv installed.
install_isoenv("${WORK_DIR}/prefix")
configure_project(SOURCE "${ISOENV_SOURCE_DIR}/samples/failover" ARGS
  "-DCMAKE_PREFIX_PATH=${WORK_DIR}/prefix" ${BUILD_FLAGS})
build_project()
set(ENV{ISOENV_RUNTIME_DIR} "${RUNTIME_DIR}")
require_isoenv()
expect_passed(-j 2)

# With Python, also what docs/client.md shows.
find_program(python python3 NO_CACHE)
if(NOT python)
  if(DEFINED ENV{ISOENV_TEST_REQUIRE_ALL})
    message(FATAL_ERROR "there is no python3")
  endif()
  return()
endif()
expect_matches("the output" "${output}" "failover\\.from_python [. ]*Passed")
file(READ "${ISOENV_SOURCE_DIR}/docs/client.md" page)
string(REGEX MATCH "```python\n([^`]+)```" snippet "${page}")
file(WRITE "${WORK_DIR}/shown.py" "${CMAKE_MATCH_1}")
file(WRITE "${WORK_DIR}/order.json" "{\"version\": 1, \"environment\": \"shown\", \"services\": {
  \"order\": {\"command\": [\"${TEST_SERVICE}\", \"tcp_echo\", \"*\", \"80\"], \"ports\": {\"http\": 80}}}}")
set(ENV{PATH} "${WORK_DIR}/prefix/bin:$ENV{PATH}")
execute_process(COMMAND isoenv run -f order.json --artefacts "${WORK_DIR}/shown" --
    "${python}" shown.py
  WORKING_DIRECTORY "${WORK_DIR}" RESULT_VARIABLE code OUTPUT_VARIABLE text ERROR_VARIABLE text)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "what docs/client.md shows fails: ${code}\n${text}")
endif()
file(READ "${WORK_DIR}/shown/latest/isoenv.log" log)
expect_contains("the log" "${log}" "order: paused by ")
