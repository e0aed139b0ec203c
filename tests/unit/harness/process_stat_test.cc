#include "harness/process_stat.h"

#include <gtest/gtest.h>

namespace isoenv {
namespace {

constexpr const char* kRest =
    " S 41 42 43 34816 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654321 99 100 18446744073709551615\n";

TEST(ProcessStatTest, ReadsTheFieldsThatCount) {
  const auto stat = parse_process_stat("42 (bash)" + std::string(kRest));
  ASSERT_TRUE(stat);
  EXPECT_EQ(*stat, (ProcessStat{"bash", 'S', 41, 43, 34816, 987654321}));
}

TEST(ProcessStatTest, EndsANameAtTheLastParenthesis) {
  const auto stat = parse_process_stat("42 (a) S 1 (\n))" + std::string(kRest));
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->name, "a) S 1 (\n)");
  EXPECT_EQ(stat->parent, 41);
}

TEST(ProcessStatTest, RefusesWhatIsNoSuchLine) {
  for (const char* text : {"", "42", "42 (a", "42 )a(", "42 (a)", "42 (a) S", "42 (a) S 1 2 3 4",
                           "42 (a) S x 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19",
                           "42 (a) S 99999999999 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19",
                           "42 (a) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 -19"}) {
    EXPECT_FALSE(parse_process_stat(text)) << text;
  }
}

}  // namespace
}  // namespace isoenv
