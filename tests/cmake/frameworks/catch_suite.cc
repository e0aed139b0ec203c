#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_test_macros.hpp>
#else
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif

#include <cstdlib>

#include "resolves.h"

TEST_CASE("reaches the service") { CHECK(resolves("front")); }
TEST_CASE("has, what was given", "[tag]") { CHECK(std::getenv("GIVEN") != nullptr); }
TEST_CASE("fails") { CHECK_FALSE(resolves("front")); }
