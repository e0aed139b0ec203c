# cmake -DROOT=<source tree> -DISOENV=<isoenv> -DSCRATCH=<folder> -P documentation_faults_test.cmake
#
# Plants faults in a copy of the documents, one at a time, to show that documentation_test.cmake sees
# each.
cmake_minimum_required(VERSION 3.22)

# expect_fault(<file> <text> <its replacement> <what must be said>)
function(expect_fault file text replacement message)
  file(REMOVE_RECURSE "${SCRATCH}")
  foreach(entry IN ITEMS README.md CHANGELOG.md LICENSE CMakePresets.json bootstrap docs schema
          samples cmake)
    file(COPY "${ROOT}/${entry}" DESTINATION "${SCRATCH}")
  endforeach()
  file(READ "${SCRATCH}/${file}" before)
  string(REPLACE "${text}" "${replacement}" after "${before}")
  if(after STREQUAL before)
    message(FATAL_ERROR "${file} has no '${text}' to plant a fault in")
  endif()
  file(WRITE "${SCRATCH}/${file}" "${after}")
  execute_process(COMMAND "${CMAKE_COMMAND}" "-DROOT=${SCRATCH}" "-DISOENV=${ISOENV}"
                          -P "${CMAKE_CURRENT_LIST_DIR}/documentation_test.cmake"
                  OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE code)
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
  string(FIND "${output}" "${message}" place)
  if(code EQUAL 0 OR place EQUAL -1)
    message(SEND_ERROR "${file} with '${replacement}': expected '${message}', got ${code}: ${output}")
  endif()
endfunction()

expect_fault(README.md "(docs/cli.md)" "(docs/gone.md)" "the link 'docs/gone.md' leads nowhere")
expect_fault(README.md "cmake.md#tests-that" "cmake.md#gone" "'gone-start-their-own-servers' is not")
expect_fault(README.md "./bootstrap demo" "./bootstrap gone" "'gone' is not one of")
expect_fault(README.md "\nisoenv down" "\nisoenv gone" "'gone' is not one of")
expect_fault(README.md "enable_testing()" "enable_testing()\n\n" "lines, not 15 or fewer")
expect_fault(docs/hacking.md "--preset dev" "--preset gone" "'gone' is not one of")
expect_fault(docs/cli.md "`--owner PID`" "`--gone PID`" "options documented: ")
expect_fault(docs/cli.md "Exit codes: 0, 1, 2, 77." "Exit codes: 0, 1, 77." "exit codes documented: 0;1;77;")
expect_fault(docs/cli.md "\n## isoenv ps" "\n## isoenv gone" "commands documented: ")
expect_fault(docs/spec.md "| `env_mode` |" "| `gone` |" "does not tell of 'env_mode'")
expect_fault(docs/spec.md "{\"udp\": " "{\"gone\": " "does not tell of 'udp'")
file(REMOVE_RECURSE "${SCRATCH}")
