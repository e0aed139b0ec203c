# Every configuration has a spec, lines and artefacts of its own.
configure_project(GENERATOR "Ninja Multi-Config" ARGS "-DISOENV_EXECUTABLE=${STAND_IN}"
  "-DCMAKE_CONFIGURATION_TYPES=Debug;Release" "-DCMAKE_MAKE_PROGRAM=${NINJA}")
foreach(config IN ITEMS Debug Release)
  string(TOLOWER ${config} lower)
  read_spec(spec shop.${config})
  string(JSON lines GET "${spec}" lines)
  expect_equal("the lines of ${config}" "${lines}" "shop.${config}.lines")
  file(READ "${BUILD_DIR}/isoenv/${lines}" text)
  expect_contains("the lines of ${config}" "${text}" "/opt/${lower}/server\n")
  expect_contains("the lines of ${config}" "${text}" "${config}\n")

  set(stem "${BUILD_DIR}/isoenv/shop.${config}")
  read_tests(-C ${config})
  test_command(command shared)
  expect_equal("the test" "${command}"
    "${STAND_IN} | exec | --file | ${stem}.json | --service | server | --test | shared | -- | probe-${config}")
  test_command(command own)
  expect_contains("the test of its own" "${command}" " | --artefacts | ${stem}/tests/own | ")
  test_command(command isoenv.shop.server.up)
  expect_equal("the fixture" "${command}"
    "${STAND_IN} | up | --file | ${stem}.json | --artefacts | ${stem} | server")
endforeach()
