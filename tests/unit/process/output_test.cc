#include "process/output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/syscall.h"
#include "support/await.h"
#include "support/temp_dir.h"

namespace isoenv {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::string_literals;
using test::run_until;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;
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
  EXPECT_THAT(lines(), ElementsAre("db | " + longest, "db | " + longest, "db | rest", "db | next"));
}

TEST_F(MergedLogTest, CutsALineThatComesInPiecesAtTheSamePlace) {
  const std::string piece(1000, 'x');
  MergedLog log(file(), 2);
  for (int i = 0; i < 70; ++i) log.append("db", piece);
  EXPECT_THAT(lines(), SizeIs(1)) << "held back longer than a line may be";
  log.append("db", "\n");
  EXPECT_THAT(lines(), ElementsAre("db | " + std::string(MergedLog::kLongestLine, 'x'),
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

TEST_F(MergedLogTest, SaysWhichFileItCannotOpen) {
  try {
    MergedLog(file() / "below", 2);
    FAIL() << "it could";
  } catch (const SystemError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr((file() / "below").string()));
  }
}

class OutputCaptureTest : public ::testing::Test {
 protected:
  OutputCapture capture(OutputCapture::Sink sink) {
    return {context_.get_executor(), std::move(pipe_.read), file(), std::move(sink)};
  }
  OutputCapture capture() {
    return capture([this](std::string_view text) { sunk_ += text; });
  }

  void write(const std::string& text) {
    ASSERT_EQ(::write(*pipe_.write, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void close_writer() { pipe_.write.reset(); }
  int writer() const { return *pipe_.write; }

  /// Returns when `text` has come out of the pipe.
  void run_until_sunk(const std::string& text) {
    run_until(context_, [&] { return sunk_ == text; });
  }
  /// Starts to wait for the end of the capture.
  void await_drained(OutputCapture& output) {
    asio::co_spawn(context_, output.drained(), [this](std::exception_ptr) { ++drained_; });
  }

  fs::path file() const { return temp_.path() / "db.log"; }

  asio::io_context context_;
  std::string sunk_;
  int drained_ = 0;

 private:
  test::TempDir temp_;
  Pipe pipe_ = make_pipe();
};

TEST_F(OutputCaptureTest, PassesOnWhatComesWhenItComes) {
  const OutputCapture output = capture();
  write("half a li");
  run_until_sunk("half a li");
  EXPECT_EQ(content(file()), "half a li");
  write("ne\n");
  run_until_sunk("half a line\n");
  EXPECT_EQ(content(file()), "half a line\n");
}

TEST_F(OutputCaptureTest, CapturesEveryByteFromTheFirstToTheLast) {
  std::string bytes;
  for (int i = 0; i < 200 * 1024; ++i) bytes += static_cast<char>((i * 7 + i / 256) & 0xff);
  write(bytes.substr(0, 5000));  // before anybody reads
  OutputCapture output = capture();
  await_drained(output);
  for (std::size_t at = 5000; at < bytes.size(); at += 5000) {
    write(bytes.substr(at, 5000));
    run_until_sunk(bytes.substr(0, at + 5000));
  }
  EXPECT_EQ(drained_, 0);
  close_writer();
  run_until(context_, [&] { return drained_ > 0; });
  EXPECT_TRUE(content(file()) == bytes);
  EXPECT_TRUE(sunk_ == bytes);
}

TEST_F(OutputCaptureTest, IsDrainedWhenTheLastWriterIsGoneAndAllIsRead) {
  UniqueFd other(::dup(writer()));
  OutputCapture output = capture();
  await_drained(output);
  await_drained(output);
  const std::string bytes(60000, 'x');
  write(bytes);
  close_writer();
  run_until_sunk(bytes);
  context_.poll();
  EXPECT_EQ(drained_, 0) << "another writer is left";
  other.reset();
  run_until(context_, [&] { return drained_ == 2; });
  await_drained(output);
  run_until(context_, [&] { return drained_ == 3; });
}

TEST_F(OutputCaptureTest, WritesTheLogBeforeItPassesOn) {
  bool written = true;
  const OutputCapture output = capture([&](std::string_view text) {
    sunk_ += text;
    written = written && content(file()) == sunk_;
  });
  write("one");
  run_until_sunk("one");
  write("two");
  run_until_sunk("onetwo");
  EXPECT_TRUE(written);
}

TEST_F(OutputCaptureTest, PassesOnWhatAFullDiskCannotTake) {
  fs::create_symlink("/dev/full", file());
  const OutputCapture output = capture();
  write("one");
  run_until_sunk("one");
}

TEST_F(OutputCaptureTest, ContinuesTheLogOfAnEarlierLife) {
  std::ofstream(file()) << "earlier\n";
  const OutputCapture output = capture();
  write("later\n");
  run_until_sunk("later\n");
  EXPECT_EQ(content(file()), "earlier\nlater\n");
}

TEST_F(OutputCaptureTest, EndsAtAStopAlthoughAWriterIsLeft) {
  OutputCapture output = capture();
  await_drained(output);
  write("one");
  run_until_sunk("one");
  EXPECT_EQ(drained_, 0);
  output.stop();
  run_until(context_, [&] { return drained_ == 1; });
  output.stop();
  EXPECT_EQ(content(file()), "one");
}

TEST_F(OutputCaptureTest, EndsAtAStopThatComesTogetherWithOutput) {
  OutputCapture output = capture();
  await_drained(output);
  context_.poll();
  write("one");
  asio::post(context_, [&] { output.stop(); });
  context_.restart();
  context_.poll();
  EXPECT_EQ(drained_, 1);
}

TEST_F(OutputCaptureTest, PassesNothingOnOnceItIsDestroyed) {
  {
    const OutputCapture output = capture();
    write("one");
    run_until_sunk("one");
    write("two");
  }
  context_.restart();
  context_.run();
  EXPECT_EQ(sunk_, "one");
}

TEST_F(OutputCaptureTest, SaysWhichLogItCannotCreate) {
  fs::create_directory(file());
  try {
    const OutputCapture output = capture();
    FAIL() << "it could";
  } catch (const SystemError& error) {
    EXPECT_EQ(error.error_number(), EISDIR);
    EXPECT_THAT(error.what(), ::testing::HasSubstr(file().string()));
  }
}

}  // namespace
}  // namespace isoenv
