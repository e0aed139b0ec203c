#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "resolves.h"

TEST_CASE("reaches the service") { CHECK(resolves("front")); }
TEST_CASE("fails") { CHECK_FALSE(resolves("front")); }
