#include "base/text.h"

#include <gtest/gtest.h>

namespace isoenv {
namespace {

TEST(NearestWordTest, FindsAWordWithOneSlip) {
  const std::vector<std::string> keys = {"command", "ports", "publish", "env"};
  EXPECT_EQ(nearest_word("comand", keys), "command");
  EXPECT_EQ(nearest_word("portss", keys), "ports");
  EXPECT_EQ(nearest_word("pablish", keys), "publish");
}

TEST(NearestWordTest, CountsASwapOfNeighboursAsOneSlip) {
  EXPECT_EQ(nearest_word("prots", {"ports"}), "ports");
  EXPECT_EQ(nearest_word("upd", {"tcp", "udp"}), "udp");
}

TEST(NearestWordTest, FindsNothingInWordsThatAreFarOff) {
  EXPECT_EQ(nearest_word("volumes", {"command", "ports"}), "");
  EXPECT_EQ(nearest_word("ab", {"xy"}), "");
  EXPECT_EQ(nearest_word("word", {}), "");
}

TEST(NearestWordTest, PrefersTheNearestThenTheFirst) {
  EXPECT_EQ(nearest_word("order", {"orders", "order"}), "order");
  EXPECT_EQ(nearest_word("user1", {"user2", "user3"}), "user2");
}

TEST(JoinTest, PutsTheSeparatorBetweenParts) {
  EXPECT_EQ(join({}, ", "), "");
  EXPECT_EQ(join({"a"}, ", "), "a");
  EXPECT_EQ(join({"a", "b", "c"}, ", "), "a, b, c");
}

TEST(ExactDurationTest, IsInWholeSecondsOrElseInMilliseconds) {
  EXPECT_EQ(exact_duration(std::chrono::seconds(30)), "30 s");
  EXPECT_EQ(exact_duration(std::chrono::microseconds(31'900)), "31 ms");
  EXPECT_EQ(exact_duration(std::chrono::milliseconds(1500)), "1500 ms");
}

}  // namespace
}  // namespace isoenv
