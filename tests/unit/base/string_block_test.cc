#include "base/string_block.h"

#include <gmock/gmock.h>

namespace isoenv {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(StringBlockTest, KeepsEachStringAndTheirOrder) {
  StringBlock block{"B=1", "", "A=x y"};
  block.push_back("C=");
  EXPECT_THAT(block, ElementsAre("B=1", "", "A=x y", "C="));
  EXPECT_EQ(block.size(), 4U);
  EXPECT_THAT(StringBlock(std::vector<std::string>{"one", "two"}), ElementsAre("one", "two"));
}

TEST(StringBlockTest, IsEmptyAtFirst) {
  EXPECT_THAT(StringBlock(), IsEmpty());
  EXPECT_THAT(StringBlock().pointers(), ElementsAre(nullptr));
}

TEST(StringBlockTest, PointsToEachStringForExecve) {
  const StringBlock block{"A=1", "", "B=2"};
  const std::vector<const char*> pointers = block.pointers();
  ASSERT_EQ(pointers.size(), 4U);
  EXPECT_STREQ(pointers[0], "A=1");
  EXPECT_STREQ(pointers[1], "");
  EXPECT_STREQ(pointers[2], "B=2");
  EXPECT_EQ(pointers[3], nullptr);
}

TEST(StringBlockTest, IsTheSameFromItsBytes) {
  const StringBlock block{"A=1", "", "B=2"};
  EXPECT_EQ(StringBlock::from_bytes(block.bytes()), block);
  EXPECT_NE(block, StringBlock({"A=1", "B=2"}));
}

}  // namespace
}  // namespace isoenv
