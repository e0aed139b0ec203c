#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "source/log_state.h"
#include "support/temp_dir.h"

namespace isoenv::inline client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LogReaderTest : public ::testing::Test {
 protected:
  void write(const std::string& text) { std::ofstream(log(), std::ios::app) << text; }
  /// What the keeper does at half the limit.
  void begin_anew() {
    std::filesystem::rename(log(), folder_.path() / "web.old.log");
    write("");
  }
  std::filesystem::path log() const { return folder_.path() / "web.log"; }
  static std::vector<std::string> rest(LogReader& reader) {
    std::vector<std::string> lines;
    for (std::string line; reader.next(line);) lines.push_back(line);
    return lines;
  }

  test::TempDir folder_;
};

TEST_F(LogReaderTest, ReadsWholeLinesAsTheyCome) {
  write("one\n\ntwo");
  LogReader reader(log(), LogPlace::kBeginning);
  EXPECT_THAT(rest(reader), ElementsAre("one", ""));
  EXPECT_THAT(rest(reader), IsEmpty());
  write(" and a half\nthree\n");
  EXPECT_THAT(rest(reader), ElementsAre("two and a half", "three"));
}

TEST_F(LogReaderTest, BeginsWhereItIsTold) {
  write("one\n");
  LogReader reader(log(), LogPlace::kEnd);
  write("two\n");
  EXPECT_THAT(rest(reader), ElementsAre("two"));
}

TEST_F(LogReaderTest, WaitsForALogThatIsNotThereYet) {
  LogReader reader(log(), LogPlace::kEnd);
  EXPECT_THAT(rest(reader), IsEmpty());
  write("one\n");
  EXPECT_THAT(rest(reader), ElementsAre("one"));
}

TEST_F(LogReaderTest, FollowsALogThatBeginsAnew) {
  write("one\n");
  LogReader reader(log(), LogPlace::kBeginning);
  EXPECT_THAT(rest(reader), ElementsAre("one"));
  write("two\n");
  begin_anew();
  write("three\n");
  EXPECT_THAT(rest(reader), ElementsAre("two", "three"));
}

TEST_F(LogReaderTest, FollowsALogThatHasBegunAnewTwice) {
  write("one\n");
  LogReader reader(log(), LogPlace::kBeginning);
  write("two\n");
  begin_anew();
  write("three\n");
  begin_anew();
  write("four\n");
  EXPECT_THAT(rest(reader), ElementsAre("one", "two", "three", "four"));
}

TEST_F(LogReaderTest, BeginsWithTheOlderLog) {
  write("one\n");
  begin_anew();
  write("two\n");
  LogReader reader(log(), LogPlace::kBeginning);
  EXPECT_THAT(rest(reader), ElementsAre("one", "two"));
}

TEST_F(LogReaderTest, ReadsLongLines) {
  const std::string line(300000, 'x');
  write(line + "\nend\n");
  LogReader reader(log(), LogPlace::kBeginning);
  EXPECT_THAT(rest(reader), ElementsAre(line, "end"));
}

}  // namespace
}  // namespace isoenv::inline client
