# A ctest run: services come up once, the tests share them, and nothing stays.
require_isoenv()
configure_stack(-DOWN=1)
expect_passed(-j 4)
foreach(name IN ITEMS store front stubborn)
  expect_contains("the output" "${output}" "isoenv.stack.${name}.up")
  expect_contains("the output" "${output}" "isoenv.stack.${name}.down")
endforeach()
expect_lacks("the output" "${output}" "isoenv.stack.seed.up")
expect_nothing_left()

# CTest adds the fixtures to a selection.
expect_passed(-R ^shared.front)
expect_contains("the output" "${output}" "isoenv.stack.store.up")
expect_lacks("the output" "${output}" "isoenv.stack.stubborn.up")
expect_nothing_left()

# Each repetition finds the services up; bringing up and taking down is repeated with it.
expect_passed(-j 4 --repeat until-fail:3)
expect_nothing_left()
