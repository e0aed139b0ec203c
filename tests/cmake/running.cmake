# Running a case's project with the real isoenv, and what must be gone afterwards.

# Ends the case as skipped where the machine grants no namespaces; in CI that is a failure.
macro(require_isoenv)
  execute_process(COMMAND "${ISOENV_EXECUTABLE}" run --artefacts "${WORK_DIR}/first" -- true
    RESULT_VARIABLE _result OUTPUT_VARIABLE _output ERROR_VARIABLE _output)
  if(_result EQUAL 77 AND NOT DEFINED ENV{ISOENV_TEST_REQUIRE_ALL})
    message("IsoEnv cannot run here: ${_output}")
    return()
  elseif(NOT _result EQUAL 0)
    message(FATAL_ERROR "isoenv run -- true: ${_result}\n${_output}")
  endif()
endmacro()

# configure_stack([<arg>...]): the project in stack/, like configure_running().
macro(configure_stack)
  configure_running(stack ${ARGN})
endmacro()

# configure_running(<project> [<arg>...]): the project in the folder <project>, with the isoenv and
# test_service just built. All that it starts has ISOENV_CASE in its environment, which is how
# leftovers are found.
macro(configure_running project)
  set(ENV{ISOENV_CASE} "${WORK_DIR}")
  set(ENV{ISOENV_RUNTIME_DIR} "${RUNTIME_DIR}")
  file(REMOVE_RECURSE "${RUNTIME_DIR}")
  file(MAKE_DIRECTORY "${RUNTIME_DIR}")
  file(CHMOD "${RUNTIME_DIR}" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
  file(GLOB _interfaces RELATIVE /sys/class/net /sys/class/net/*)
  set(interfaces_before "${_interfaces}")
  configure_project(SOURCE "${CASE_DIR}/../${project}" ARGS
    "-DISOENV_EXECUTABLE=${ISOENV_EXECUTABLE}" "-DTEST_SERVICE=${TEST_SERVICE}" ${ARGN})
endmacro()

# run_ctest([<arg>...]): sets `result` and `output`.
function(run_ctest)
  execute_process(COMMAND "${CTEST}" --output-on-failure --timeout 60 ${ARGN}
    WORKING_DIRECTORY "${BUILD_DIR}"
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  set(result "${result}" PARENT_SCOPE)
  set(output "${output}" PARENT_SCOPE)
endfunction()

# expect_passed([<arg>...]): a run of ctest in which every test passes and none is skipped.
function(expect_passed)
  run_ctest(${ARGN})
  if(NOT result EQUAL 0 OR output MATCHES "Skipped|Not Run")
    message(FATAL_ERROR "ctest ${ARGN}: ${result}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

# Waits until no process of the case is alive, and no instance has a run directory. An owner's end
# is noticed at once, but stopping takes its time.
function(expect_nothing_left)
  execute_process(COMMAND env -u ISOENV_CASE sh
      "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/leftovers.sh" "${WORK_DIR}" "${RUNTIME_DIR}"
    OUTPUT_VARIABLE left ERROR_VARIABLE left RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "left behind:\n${left}")
  endif()
  file(GLOB interfaces RELATIVE /sys/class/net /sys/class/net/*)
  expect_equal("the host's interfaces" "${interfaces}" "${interfaces_before}")
endfunction()
