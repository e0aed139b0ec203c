#include "process/merged_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "support/temp_dir.h"

namespace isoenv {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::MatchesRegex;
using ::testing::SizeIs;

std::string content(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

class MergedLogTest : public ::testing::Test {
 protected:
  fs::path file() const { return temp_.path() / "isoenv.log"; }

  std::vector<std::string> whole_lines() const {
    std::vector<std::string> lines;
    std::istringstream text(content(file()));
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }
  /// The lines without their time of day.
  std::vector<std::string> lines() const {
    std::vector<std::string> lines = whole_lines();
    for (std::string& line : lines) line.erase(0, sizeof "HH:MM:SS.uuuuuu");
    return lines;
  }

 private:
  test::TempDir temp_;
};

TEST_F(MergedLogTest, PrefixesEachLineWithTheTimeAndTheName) {
  MergedLog log(file(), 4);
  log.append("db", "one\ntwo\n");
  EXPECT_THAT(whole_lines(),
              ElementsAre(MatchesRegex("[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\.[0-9]{6} db   \\| one"),
                          EndsWith(" db   | two")));
  EXPECT_THAT(content(file()), EndsWith("two\n"));
}

TEST_F(MergedLogTest, PadsNamesAndCutsNone) {
  MergedLog log(file(), 4);
  log.append("db", "a\n");
  log.append("user", "b\n");
  log.append("gateway", "c\n");
  EXPECT_THAT(lines(), ElementsAre("db   | a", "user | b", "gateway | c"));
}

TEST_F(MergedLogTest, HoldsWholeLinesOnly) {
  MergedLog log(file(), 2);
  log.append("db", "one\ntw");
  EXPECT_THAT(lines(), ElementsAre("db | one"));
  log.append("db", "o\n");
  EXPECT_THAT(lines(), ElementsAre("db | one", "db | two"));
}

TEST_F(MergedLogTest, NeverMixesTheLinesOfTwoWriters) {
  MergedLog log(file(), 2);
  log.append("db", "half of ");
  log.append("ui", "a line\nmo");
  log.append("db", "a line\n");
  log.append("ui", "re\n");
  EXPECT_THAT(lines(), ElementsAre("ui | a line", "db | half of a line", "ui | more"));
}

TEST_F(MergedLogTest, KeepsEmptyLinesAndAnyByte) {
  MergedLog log(file(), 2);
  log.append("db", "\n\r\n");
  log.append("db", "nul\0 caf\xe9 \x1b[1m\n"s);
  EXPECT_THAT(lines(), ElementsAre("db | ", "db | \r", "db | nul\0 caf\xe9 \x1b[1m"s));
}

TEST_F(MergedLogTest, EndsAnUnfinishedLineWhenItsWriterIsDone) {
  MergedLog log(file(), 2);
  log.append("db", "one\nlast words");
  log.finish("ui");
  EXPECT_THAT(lines(), ElementsAre("db | one"));
  log.finish("db");
  log.finish("db");
  EXPECT_THAT(lines(), ElementsAre("db | one", "db | last words"));
  EXPECT_THAT(content(file()), EndsWith("\n"));
  log.append("db", "next life\n");
  EXPECT_EQ(lines().back(), "db | next life");
}

TEST_F(MergedLogTest, CutsALineThatIsTooLong) {
  const std::string longest(MergedLog::kLongestLine, 'x');
  MergedLog log(file(), 2);
  log.append("db", longest + longest + "rest\nnext\n");
  const std::string piece = "db | " + longest + std::string(MergedLog::kCut);
  EXPECT_THAT(lines(), ElementsAre(piece, piece, "db | rest", "db | next"));
}

TEST_F(MergedLogTest, CutsALineThatComesInPiecesAtTheSamePlace) {
  const std::string piece(1000, 'x');
  MergedLog log(file(), 2);
  for (int i = 0; i < 70; ++i) log.append("db", piece);
  EXPECT_THAT(lines(), SizeIs(1)) << "held back longer than a line may be";
  log.append("db", "\n");
  EXPECT_THAT(lines(), ElementsAre("db | " + std::string(MergedLog::kLongestLine, 'x') +
                                       std::string(MergedLog::kCut),
                                   "db | " + std::string(70000 - MergedLog::kLongestLine, 'x')));
}

TEST_F(MergedLogTest, LeavesALineOfExactlyTheLongestLengthWhole) {
  const std::string longest(MergedLog::kLongestLine, 'x');
  MergedLog log(file(), 2);
  log.append("db", longest + "\n");
  log.append("db", longest);
  log.append("db", "\nnext\n");
  EXPECT_THAT(lines(), ElementsAre("db | " + longest, "db | " + longest, "db | next"));
}

TEST_F(MergedLogTest, ContinuesALogBesideItsOtherWriters) {
  MergedLog first(file(), 2);
  first.append("db", "one\n");
  MergedLog second(file(), 2);
  second.append("ui", "two\n");
  first.append("db", "three\n");
  EXPECT_THAT(lines(), ElementsAre("db | one", "ui | two", "db | three"));
}

TEST_F(MergedLogTest, LosesWhatAFullDiskCannotTake) {
  MergedLog log("/dev/full", 2);
  log.append("db", "one\nrest");
  log.finish("db");
}

TEST_F(MergedLogTest, SaysHowMuchAFullDiskCouldNotTakeAndTearsNoLine) {
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  MergedLog log(file(), 2);
  const rlimit limit{60, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  log.append("db", "one\ntwo\nthree\n");
  log.append("ui", "four\n");
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_THAT(lines(), ElementsAre("db | one", "db | two"));
  log.append("ui", "five\n");
  const std::size_t lost = 2 * sizeof "HH:MM:SS.uuuuuu" + "db | three\nui | four\n"s.size();
  EXPECT_THAT(lines(), ElementsAre("db | one", "db | two",
                                   "isoenv | " + std::to_string(lost) +
                                       " bytes are lost here: EFBIG (File too large)",
                                   "ui | five"));
}

TEST_F(MergedLogTest, LeavesOutWhatIsBeyondTheShareOfAServiceAndSaysSo) {
  MergedLog log(file(), 2);
  log.limit("db", 60, "db.log");
  log.append("db", "one\ntwo\nthree\nfour\n");
  log.append("ui", "mine\n");
  log.append("db", "five\nsi");
  log.finish("db");
  log.finish("db");
  EXPECT_THAT(lines(),
              ElementsAre("db | one", "db | two",
                          "isoenv | db: its log_limit is reached here: its further lines are only "
                          "in 'db.log'",
                          "ui | mine",
                          "isoenv | db: left out of this log: 4 lines, 19 bytes; see 'db.log'"));
  log.limit("db", 60, "db.log");
  log.append("db", "next life\n");
  log.finish("db");
  EXPECT_EQ(lines().back(), "isoenv | db: left out of this log: 1 line, 10 bytes; see 'db.log'");
}

TEST_F(MergedLogTest, TellsEventsInItsOwnName) {
  MergedLog log(file(), 2);
  log.append("db", "half");
  log.event("db: ready");
  EXPECT_THAT(lines(), ElementsAre("isoenv | db: ready"));
}

TEST_F(MergedLogTest, SaysWhichFileItCannotOpen) {
  try {
    MergedLog(file() / "below", 2);
    FAIL() << "it could";
  } catch (const SystemError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr((file() / "below").string()));
  }
}

}  // namespace
}  // namespace isoenv
