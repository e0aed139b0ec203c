# Read by ctest, not by CMake, before the tests of a directory: adds those that isoenv_attach()
# names with isoenv before their command and with their fixtures, all others as they are. See
# attach.cmake, which copies it into the build directory, beside text.cmake.
#
# A directory is known by its CTestTestfile.cmake, in whatever form ctest names that file: it
# includes the file that attaches tests, and adds the tests.
#
#   isoenv.attach.FILE                    the CTestTestfile.cmake that is meant now
#   isoenv.attach.<file>.<FIELD>.<test>   WRAPPER, FIXTURES
include_guard(GLOBAL)
cmake_policy(PUSH)
cmake_policy(VERSION 3.22)
include("${CMAKE_CURRENT_LIST_DIR}/text.cmake")

# The file with the tests that the following calls attach.
function(isoenv_attach_in file)
  if(NOT file MATCHES "(^|/)CTestTestfile\\.cmake$")
    message(FATAL_ERROR "isoenv_attach: \"${file}\" is not a file with tests: the attached tests \
would run outside their environment")
  endif()
  set_property(GLOBAL PROPERTY isoenv.attach.FILE "${file}")
endfunction()

# The words that go before the command of the test <name>.
function(isoenv_attached_test name)
  _isoenv_take_words(words 1 ${ARGC})
  get_property(file GLOBAL PROPERTY isoenv.attach.FILE)
  set_property(GLOBAL PROPERTY "isoenv.attach.${file}.WRAPPER.${name}" "${words}")
endfunction()

# The fixtures that the test <name> requires, none of which holds a special character.
function(isoenv_attached_fixtures name)
  get_property(file GLOBAL PROPERTY isoenv.attach.FILE)
  set_property(GLOBAL PROPERTY "isoenv.attach.${file}.FIXTURES.${name}" "${ARGN}")
endfunction()

# In the place of ctest's command, which is called _add_test() from now on.
function(add_test name)
  _isoenv_take_words(words 1 ${ARGC})
  get_property(wrapper GLOBAL PROPERTY "isoenv.attach.${CMAKE_CURRENT_LIST_FILE}.WRAPPER.${name}")
  get_property(fixtures GLOBAL PROPERTY "isoenv.attach.${CMAKE_CURRENT_LIST_FILE}.FIXTURES.${name}")
  if(words STREQUAL "NOT_AVAILABLE") # in this configuration
    set(wrapper "")
  endif()
  _isoenv_bracket(code "${name}")
  foreach(word IN LISTS wrapper words)
    _isoenv_decode(word "${word}")
    _isoenv_bracket(word "${word}")
    string(APPEND code " ${word}")
  endforeach()
  cmake_language(EVAL CODE "_add_test(${code})")
  if(NOT wrapper STREQUAL "")
    set_tests_properties("${name}" PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT_SIGNAL_NAME SIGTERM
      TIMEOUT_SIGNAL_GRACE_PERIOD 5) # as _isoenv_test_properties() has them
    foreach(fixture IN LISTS fixtures)
      set_tests_properties("${name}" PROPERTIES FIXTURES_REQUIRED ${fixture})
    endforeach()
  endif()
endfunction()

if(NOT COMMAND _add_test)
  message(FATAL_ERROR "isoenv_attach: this version of ctest does not let add_test() be replaced, \
and tests would run outside their environment: use isoenv_add_test() for them")
endif()
cmake_policy(POP)
