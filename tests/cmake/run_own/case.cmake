# Many instances at once, all on the same fixed port.
require_isoenv()
configure_stack(-DOWN=16)
expect_passed(-j 16 -R "^own|^alone")
expect_nothing_left()
