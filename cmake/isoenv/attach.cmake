# isoenv_attach(): tests that something else has registered are run inside an environment.
#
# The command of a test cannot be changed once add_test() was called. But a directory's
# TEST_INCLUDE_FILES are read by ctest before the directory's own tests, with add_test() a command
# there too: attached.cmake puts a function in its place, which knows the tests that are attached
# and adds them with isoenv before their command, and with their fixtures.

# The body of isoenv_attach().
function(_isoenv_attach words)
  set(caller "isoenv_attach")
  _isoenv_parse("${caller}" attachment "${words}")
  if(NOT DEFINED arg_TESTS)
    _isoenv_fail("${caller}" "\"TESTS\" is missing")
  endif()
  _isoenv_test_scope(scope "${caller}" "${arg_SCOPE}")
  _isoenv_test_services(services environment "${caller}" ${scope} "${arg_SERVICES}"
    "${arg_ENVIRONMENT}")
  set(directory "${CMAKE_CURRENT_SOURCE_DIR}")
  if(DEFINED arg_DIRECTORY)
    _isoenv_decode(directory "${arg_DIRECTORY}")
    cmake_path(ABSOLUTE_PATH directory BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE)
  endif()
  _isoenv_check_directory("${caller}" "${directory}")
  _isoenv_check_unique("${caller}" TESTS "${arg_TESTS}")
  _isoenv_record_test(number "${caller}" "${environment}" "${services}" ${scope})
  set_property(GLOBAL PROPERTY isoenv.test.${number}.DIRECTORY "${directory}")

  _isoenv_test_options(options "${caller}" attachment ${number} "${environment}")
  set(code "")
  foreach(test IN LISTS arg_TESTS)
    _isoenv_decode(name "${test}")
    _isoenv_check_attachable("${caller}" "${directory}" "${name}")
    _isoenv_test_wrapper(words "${name}" "${environment}" ${scope} "${services}" "${options}"
      "${name}")
    _isoenv_code(words "${test};${words}")
    string(APPEND code "isoenv_attached_test(${words})\n")
    if(scope STREQUAL "RUN")
      _isoenv_code(words "${test}")
      string(APPEND code "isoenv_attached_fixtures(${words} \
$<JOIN:$<TARGET_PROPERTY:isoenv::registry,fixtures_${number}>, >)\n")
    endif()
  endforeach()
  _isoenv_include_attachments("${directory}" ${number} "${code}")
endfunction()

# CMake must have begun to read <directory>.
function(_isoenv_check_directory caller directory)
  set(known "${CMAKE_SOURCE_DIR}")
  set(index 0)
  list(LENGTH known count)
  while(index LESS count)
    list(GET known ${index} parent)
    get_property(children DIRECTORY "${parent}" PROPERTY SUBDIRECTORIES)
    list(APPEND known ${children})
    list(LENGTH known count)
    math(EXPR index "${index} + 1")
  endwhile()
  if(NOT directory IN_LIST known)
    _isoenv_fail("${caller}" "DIRECTORY: \"${directory}\" is not a directory of this project, or \
not yet: add_subdirectory() must come first")
  endif()
endfunction()

# Checks that the test <name> is there, and is not IsoEnv's already.
function(_isoenv_check_attachable caller directory name)
  get_property(known DIRECTORY "${directory}" PROPERTY TESTS)
  set(there FALSE)
  if(directory STREQUAL CMAKE_CURRENT_SOURCE_DIR AND TEST "${name}")
    set(there TRUE) # also when its name is none that a list can hold
  elseif(NOT directory STREQUAL CMAKE_CURRENT_SOURCE_DIR AND name IN_LIST known)
    set(there TRUE)
  endif()
  if(NOT there)
    list(FILTER known EXCLUDE REGEX "^isoenv\\.")
    _isoenv_nearest(nearest "${name}" "${known}")
    if(NOT nearest STREQUAL "")
      set(hint ", did you mean \"${nearest}\"?")
    else()
      set(hint "; add_test() must come first, tests of another directory need DIRECTORY, and those \
that a program is asked for isoenv_discover_tests()")
    endif()
    _isoenv_fail("${caller}" "TESTS: there is no test \"${name}\" in ${directory}${hint}")
  endif()
  _isoenv_get(taken "isoenv.attached.${directory}")
  _isoenv_encode(encoded "${name}")
  if(encoded IN_LIST taken)
    _isoenv_fail("${caller}" "TESTS: \"${name}\" is attached already")
  endif()
  set_property(GLOBAL APPEND PROPERTY "isoenv.attached.${directory}" "${encoded}")
  _isoenv_get(tests isoenv.TESTS)
  foreach(number IN LISTS tests)
    _isoenv_get(other isoenv.test.${number}.NAME)
    _isoenv_get(place isoenv.test.${number}.DIRECTORY)
    if(other STREQUAL name AND place STREQUAL directory)
      _isoenv_fail("${caller}" "TESTS: \"${name}\" was added by isoenv_add_test(): give its \
services there")
    endif()
  endforeach()
endfunction()

# Writes <code> for ctest to read before the tests of <directory>.
function(_isoenv_include_attachments directory number code)
  set(folder "${CMAKE_BINARY_DIR}/isoenv/attached")
  foreach(part IN ITEMS attached text)
    configure_file("${CMAKE_CURRENT_FUNCTION_LIST_DIR}/${part}.cmake" "${folder}/${part}.cmake"
      COPYONLY)
  endforeach()
  get_property(multi GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
  set(file "${folder}/${number}.cmake")
  # After an include(), some versions name another file as the parent.
  set(head "set(isoenv_tests_file \"\${CMAKE_PARENT_LIST_FILE}\")\n\
include(\"${folder}/attached.cmake\")\n\
isoenv_attach_in(\"\${isoenv_tests_file}\")\n")
  if(multi)
    # Without a configuration ctest has no tests.
    file(WRITE "${file}" "${head}include(\"${folder}/${number}.\${CTEST_CONFIGURATION_TYPE}.cmake\" \
OPTIONAL)\n")
    file(GENERATE OUTPUT "${folder}/${number}.$<CONFIG>.cmake" CONTENT "${code}")
  else()
    file(GENERATE OUTPUT "${file}" CONTENT "${head}${code}")
  endif()
  get_property(files DIRECTORY "${directory}" PROPERTY TEST_INCLUDE_FILES)
  set_property(DIRECTORY "${directory}" PROPERTY TEST_INCLUDE_FILES "${file}" ${files})
endfunction()
