# A case's project: configuring it, its specs, its tests, and running them.

# configure_project([FAILS] [SOURCE <dir>] [BUILD <dir>] [GENERATOR <name>] [ARGS <arg>...])
# Sets `output` to all that CMake said, with its line breaks undone, and BUILD_DIR.
function(configure_project)
  cmake_parse_arguments(PARSE_ARGV 0 arg "FAILS" "SOURCE;BUILD;GENERATOR" "ARGS")
  if(NOT DEFINED arg_SOURCE)
    set(arg_SOURCE "${CASE_DIR}")
  endif()
  if(NOT DEFINED arg_BUILD)
    set(arg_BUILD "${WORK_DIR}/build")
  endif()
  set(generator -G "${GENERATOR}" "-DCMAKE_MAKE_PROGRAM=${MAKE_PROGRAM}")
  if(DEFINED arg_GENERATOR)
    set(generator -G "${arg_GENERATOR}")
  endif()
  execute_process(COMMAND "${CMAKE_COMMAND}" --no-warn-unused-cli
      -S "${arg_SOURCE}" -B "${arg_BUILD}" ${generator}
      "-DMODULE=${ISOENV_SOURCE_DIR}/cmake/IsoEnv.cmake" ${arg_ARGS}
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(arg_FAILS AND result EQUAL 0)
    message(FATAL_ERROR "configuring succeeded, but must not:\n${output}")
  elseif(NOT arg_FAILS AND NOT result EQUAL 0)
    message(FATAL_ERROR "configuring failed:\n${output}")
  endif()
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
  set(output "${output}" PARENT_SCOPE)
  set(BUILD_DIR "${arg_BUILD}" PARENT_SCOPE)
endfunction()

# Installs IsoEnv as it was built here.
function(install_isoenv prefix)
  execute_process(COMMAND "${CMAKE_COMMAND}" --install "${ISOENV_BINARY_DIR}"
      --config "${CONFIGURATION}" --prefix "${prefix}"
    OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "installing failed:\n${output}")
  endif()
endfunction()

# Installs IsoEnv and moves it from there to <prefix>.
function(install_isoenv_and_move prefix)
  install_isoenv("${prefix}.before")
  file(RENAME "${prefix}.before" "${prefix}")
endfunction()

# build_project([<option of cmake --build>...]): builds what is configured in BUILD_DIR.
function(build_project)
  execute_process(COMMAND "${CMAKE_COMMAND}" --build "${BUILD_DIR}" ${ARGN}
    OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "building failed:\n${output}")
  endif()
endfunction()

# The tests of BUILD_DIR, as `ctest --show-only=json-v1` prints them, in `tests_json`.
function(read_tests)
  execute_process(COMMAND "${CTEST}" --show-only=json-v1 ${ARGN}
    WORKING_DIRECTORY "${BUILD_DIR}" OUTPUT_VARIABLE json COMMAND_ERROR_IS_FATAL ANY)
  set(tests_json "${json}" PARENT_SCOPE)
endfunction()

# The sorted names of all tests.
function(test_names out)
  string(JSON count LENGTH "${tests_json}" tests)
  set(names "")
  set(index 0)
  while(index LESS count)
    string(JSON name GET "${tests_json}" tests ${index} name)
    list(APPEND names "${name}")
    math(EXPR index "${index} + 1")
  endwhile()
  list(SORT names)
  set(${out} "${names}" PARENT_SCOPE)
endfunction()

# The JSON object of the test <name>.
function(find_test out name)
  string(JSON count LENGTH "${tests_json}" tests)
  set(index 0)
  while(index LESS count)
    string(JSON found GET "${tests_json}" tests ${index} name)
    if(found STREQUAL name)
      string(JSON test GET "${tests_json}" tests ${index})
      set(${out} "${test}" PARENT_SCOPE)
      return()
    endif()
    math(EXPR index "${index} + 1")
  endwhile()
  message(FATAL_ERROR "there is no test \"${name}\" in\n${tests_json}")
endfunction()

# The elements of the JSON array <json>, joined by " | ", so that any text can be compared.
function(join_json out json)
  string(JSON count LENGTH "${json}")
  set(text "")
  set(index 0)
  while(index LESS count)
    string(JSON element GET "${json}" ${index})
    if(index GREATER 0)
      string(APPEND text " | ")
    endif()
    string(APPEND text "${element}")
    math(EXPR index "${index} + 1")
  endwhile()
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

function(test_command out name)
  find_test(test "${name}")
  string(JSON command GET "${test}" command)
  join_json(text "${command}")
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

# A property of the test <name>: a list joined by " | ", or "" if it is not set.
function(test_property out name property)
  find_test(test "${name}")
  string(JSON count LENGTH "${test}" properties)
  set(text "")
  set(index 0)
  while(index LESS count)
    string(JSON found GET "${test}" properties ${index} name)
    if(found STREQUAL property)
      string(JSON type TYPE "${test}" properties ${index} value)
      string(JSON text GET "${test}" properties ${index} value)
      if(type STREQUAL "ARRAY")
        join_json(text "${text}")
      endif()
    endif()
    math(EXPR index "${index} + 1")
  endwhile()
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

# The spec that was written for the environment <stem>, which must be proper JSON.
function(read_spec out stem)
  file(READ "${BUILD_DIR}/isoenv/${stem}.json" json)
  string(JSON version ERROR_VARIABLE error GET "${json}" version)
  expect_equal("the error of reading ${stem}.json" "${error}" "NOTFOUND")
  set(${out} "${json}" PARENT_SCOPE)
endfunction()
