#include "harness/log_slices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/error.h"
#include "support/temp_dir.h"

namespace isoenv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class LogSlicesTest : public ::testing::Test {
 protected:
  void append(const std::string& file, const std::string& text) const {
    std::ofstream(dir_.path() / file, std::ios::app) << text;
  }
  void begin_anew(const std::string& name) const {
    std::filesystem::rename(dir_.path() / (name + ".log"), dir_.path() / (name + ".old.log"));
  }

  test::TempDir dir_;
};

TEST_F(LogSlicesTest, HoldWhatWasWrittenSince) {
  append("db.log", "before\n");
  const LogSlices slices(dir_.path());
  append("db.log", "after\n");
  EXPECT_EQ(slices.of("db"), "after\n");
}

TEST_F(LogSlicesTest, GoOnFromTheMarksOfAnotherProcess) {
  append("db.log", "before\n");
  const std::string marks = LogSlices(dir_.path()).marks();
  append("db.log", "after\n");
  EXPECT_EQ(LogSlices(dir_.path(), marks).of("db"), "after\n");
  EXPECT_THROW(LogSlices(dir_.path(), "[[1]]"), Error);
}

TEST_F(LogSlicesTest, AreEmptyForALogThatGainedNothingOrIsNotThere) {
  append("db.log", "before\n");
  const LogSlices slices(dir_.path());
  EXPECT_EQ(slices.of("db"), "");
  EXPECT_EQ(slices.of("web"), "");
}

TEST_F(LogSlicesTest, HoldAllOfALogThatIsNew) {
  const LogSlices slices(dir_.path());
  append("db.log", "all\n");
  EXPECT_EQ(slices.of("db"), "all\n");
}

TEST_F(LogSlicesTest, FollowALogThatBeginsAnew) {
  append("db.log", "before\n");
  const LogSlices slices(dir_.path());
  append("db.log", "middle\n");
  begin_anew("db");
  append("db.log", "after\n");
  EXPECT_EQ(slices.of("db"), "middle\nafter\n");
  begin_anew("db");
  append("db.log", "last\n");
  EXPECT_EQ(slices.of("db"), "after\nlast\n");
}

TEST_F(LogSlicesTest, LoseTheBeginningOfWhatIsTooLongAndSaySo) {
  const LogSlices slices(dir_.path());
  append("db.log", "first\n" + std::string(LogSlices::kLongestSlice, 'x') + "\nlast\n");
  const std::string text = slices.of("db");
  EXPECT_LT(text.size(), LogSlices::kLongestSlice);
  EXPECT_THAT(text, StartsWith("[isoenv: what stands before this is left out here"));
  EXPECT_THAT(text, HasSubstr("\nlast\n"));
}

TEST_F(LogSlicesTest, NameTheServicesThatHaveALog) {
  for (const char* file : {"web.log", "db.log", "db.old.log", "isoenv.log", "keeper.log", "x.txt"}) {
    append(file, "x");
  }
  EXPECT_THAT(LogSlices(dir_.path()).services(), ElementsAre("db", "web"));
}

TEST(TimelineTest, GivesTheLinesOfOneName) {
  const std::string timeline =
      "10:00:00.000001 isoenv | db: ready\n10:00:00.000002 isoenvoy | x\n10:00:00.000003 db     | "
      "isoenv | y\n10:00:00.000004 isoenv | end";
  EXPECT_EQ(lines_of(timeline, "isoenv"),
            "10:00:00.000001 isoenv | db: ready\n10:00:00.000004 isoenv | end");
}

TEST(TimelineTest, GivesItsLastLines) {
  EXPECT_EQ(last_lines_of("a\nb\nc\n", 2), "b\nc\n");
  EXPECT_EQ(last_lines_of("a\nb\nc", 1), "c");
  EXPECT_EQ(last_lines_of("a\nb\n", 9), "a\nb\n");
  EXPECT_EQ(last_lines_of("", 2), "");
}

}  // namespace
}  // namespace isoenv
