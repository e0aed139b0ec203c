# Test programs of Catch2 and doctest: discovered as their own functions do it, run inside.
require_isoenv()
set(flags ${BUILD_FLAGS}) # but for those of the code: Catch2 takes its time with them
list(FILTER flags EXCLUDE REGEX CXX_FLAGS)
configure_running(frameworks ${flags} -DCMAKE_CXX_FLAGS_DEBUG=)
foreach(package IN ITEMS Catch2 doctest)
  if(output MATCHES "Could not find a package configuration file provided by \"${package}\"")
    message("IsoEnv cannot run here: ${package} is not installed")
    return()
  endif()
endforeach()
execute_process(COMMAND "${CMAKE_COMMAND}" --build "${BUILD_DIR}"
  RESULT_VARIABLE code OUTPUT_VARIABLE text ERROR_VARIABLE text)
expect_equal("the result of building, which said\n${text}\n," ${code} 0)

read_tests()
test_names(names)
list(FILTER names EXCLUDE REGEX "^isoenv\\.")
expect_equal("the tests" "${names}" "catch.fails;catch.has, what was given;\
catch.reaches the service;doctest.fails;doctest.reaches the service;own.reaches the service")
foreach(name IN ITEMS "catch.has, what was given" "doctest.reaches the service")
  test_command(command "${name}")
  expect_contains("the command of ${name}" "${command}" "${ISOENV_EXECUTABLE} | exec | ")
  test_property(value "${name}" FIXTURES_REQUIRED)
  expect_equal("the fixtures of ${name}" "${value}" "isoenv.frameworks.front")
  test_property(value "${name}" LABELS)
  expect_equal("the labels of ${name}" "${value}" "one | two")
endforeach()

run_ctest(-j 4)
string(REGEX MATCH "The following tests FAILED:.*" summary "${output}")
string(REGEX MATCHALL "[a-z]+\\.[a-z, ]+ \\(Failed\\)" failures "${summary}")
list(SORT failures)
expect_equal("what failed in\n${output}\nfailed" "${failures}"
  "catch.fails (Failed);doctest.fails (Failed)")
expect_nothing_left()
file(GLOB folders RELATIVE "${BUILD_DIR}/isoenv/frameworks/tests/catch_suite"
  "${BUILD_DIR}/isoenv/frameworks/tests/catch_suite/*")
expect_matches("the folders of own tests" "${folders}" "^[^;]+-[0-9a-f]+$")
