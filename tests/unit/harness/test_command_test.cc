#include "harness/test_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace isoenv {
namespace {

using ::testing::MatchesRegex;

TEST(TestCommandTest, OnlyListsWhenAnArgumentSaysSo) {
  const std::vector<std::string> listing = {"--gtest_list_tests", "--list"};
  EXPECT_TRUE(only_lists({"a_test", "--color", "--list"}, listing));
  EXPECT_TRUE(only_lists({"valgrind", "a_test", "--gtest_list_tests"}, listing));
  EXPECT_FALSE(only_lists({"a_test", "--gtest_filter=A.b"}, listing));
  EXPECT_FALSE(only_lists({"a_test", "--gtest_list_tests=0", "--lists"}, listing));
  EXPECT_FALSE(only_lists({"--list"}, listing));
  EXPECT_FALSE(only_lists({"a_test", "--list"}, {}));
}

TEST(TestCommandTest, GivesAFolderTheNameOfTheSelectedTest) {
  EXPECT_THAT(command_folder({"/b/a_test", "--x", "--gtest_filter=Order.Places/0"}),
              MatchesRegex("Order\\.Places_0-[0-9a-f]{8}"));
  EXPECT_THAT(command_folder({"/b/a_test", "--test-case=an order"}),
              MatchesRegex("an_order-[0-9a-f]{8}"));
  EXPECT_THAT(command_folder({"/b/a_test", "-s", "../x"}), MatchesRegex("_\\.\\._x-[0-9a-f]{8}"));
  EXPECT_THAT(command_folder({"/b/a_test"}), MatchesRegex("a_test-[0-9a-f]{8}"));
  EXPECT_EQ(command_folder({"a", std::string(300, 'x')}).size(), 109U);
}

TEST(TestCommandTest, GivesEachCommandAFolderOfItsOwn) {
  EXPECT_EQ(command_folder({"a", "x y"}), command_folder({"a", "x y"}));
  EXPECT_NE(command_folder({"a", "x y"}), command_folder({"a", "x_y"}));
  EXPECT_NE(command_folder({"a", "x", "y"}), command_folder({"a", "x", "z"}));
  EXPECT_NE(command_folder({"a", "x", "yz"}), command_folder({"a", "xy", "z"}));
}

}  // namespace
}  // namespace isoenv
