#include "process/log_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "support/temp_dir.h"

namespace isoenv {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Files of this process may not grow past `bytes`: as a full disk, with EFBIG for ENOSPC.
class FullAt {
 public:
  explicit FullAt(rlim_t bytes) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullAt() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FullAt(const FullAt&) = delete;
  FullAt& operator=(const FullAt&) = delete;

 private:
  rlimit before_{};
};

class LogFileTest : public ::testing::Test {
 protected:
  fs::path file() const { return temp_.path() / "db.log"; }
  fs::path old_file() const { return temp_.path() / "db.old.log"; }

  LogFile log(std::uint64_t limit = 0, bool whole_lines = false) {
    LogFile::Options options;
    options.limit = limit;
    options.whole_lines = whole_lines;
    options.tell = [this](const std::string& news) { news_.push_back(news); };
    return {file(), std::move(options)};
  }

  static std::string content(const fs::path& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  std::vector<std::string> news_;

 private:
  test::TempDir temp_;
};

TEST_F(LogFileTest, HoldsWhatIsWritten) {
  LogFile file_log = log();
  file_log.append("one");
  file_log.append("");
  file_log.append(" two\n");
  file_log.finish();
  EXPECT_EQ(content(file()), "one two\n");
  EXPECT_EQ(file_log.losses(), "");
  EXPECT_THAT(news_, IsEmpty());
}

TEST_F(LogFileTest, IsMadeAtTheFirstByteWhereAskedTo) {
  LogFile::Options options;
  options.at_first_byte = true;
  LogFile file_log(file(), std::move(options));
  file_log.append("");
  file_log.finish();
  EXPECT_FALSE(fs::exists(file()));
  file_log.append("one\n");
  EXPECT_EQ(content(file()), "one\n");
  EXPECT_EQ(file_log.losses(), "");
}

TEST_F(LogFileTest, LosesWhatComesWhileItCannotBeMade) {
  LogFile::Options options;
  options.at_first_byte = true;
  options.tell = [this](const std::string& news) { news_.push_back(news); };
  const fs::path directory = file().parent_path() / "later";
  LogFile file_log(directory / "db.log", std::move(options));
  file_log.append("one\n");
  file_log.append("two\n");
  EXPECT_EQ(file_log.losses(), "8 bytes are lost: ENOENT (No such file or directory)");
  fs::create_directory(directory);
  file_log.append("three\n");
  EXPECT_EQ(content(directory / "db.log"),
            "[isoenv: 8 bytes are lost here: ENOENT (No such file or directory)]\nthree\n");
  EXPECT_THAT(news_, ElementsAre("cannot write to 'db.log': ENOENT (No such file or directory); "
                                 "output is lost",
                                 "writes to 'db.log' again; it lacks 8 bytes"));
}

TEST_F(LogFileTest, SaysHowMuchAFullDiskCouldNotTake) {
  LogFile file_log = log();
  {
    const FullAt full(6);
    file_log.append("one\ntwo\nthree\n");
    file_log.append("four\n");
    file_log.finish();
    EXPECT_EQ(content(file()), "one\ntw");
    EXPECT_EQ(file_log.losses(), "13 bytes are lost: EFBIG (File too large)");
  }
  file_log.append("five\n");
  file_log.append("six\n");
  EXPECT_EQ(content(file()),
            "one\ntw\n[isoenv: 13 bytes are lost here: EFBIG (File too large)]\nfive\nsix\n");
  EXPECT_EQ(file_log.losses(), "13 bytes are lost: EFBIG (File too large)");
  EXPECT_THAT(news_, ElementsAre("cannot write to 'db.log': EFBIG (File too large); output is lost",
                                 "writes to 'db.log' again; it lacks 13 bytes"));
}

TEST_F(LogFileTest, SaysItAtTheEndWhenNothingFollows) {
  LogFile file_log = log();
  {
    const FullAt full(4);
    file_log.append("one\nx");
  }
  file_log.finish();
  file_log.finish();
  EXPECT_EQ(content(file()), "one\n[isoenv: 1 byte is lost here: EFBIG (File too large)]\n");
}

TEST_F(LogFileTest, LeavesNoHalfRemarkWhereOnlyALittleIsFree) {
  LogFile file_log = log();
  {
    const FullAt full(4);
    file_log.append("one\ntwo\n");
  }
  {
    const FullAt full(30);
    file_log.append("three\n");
    EXPECT_EQ(content(file()), "one\n");
  }
  file_log.append("four\n");
  EXPECT_EQ(content(file()),
            "one\n[isoenv: 10 bytes are lost here: EFBIG (File too large)]\nfour\n");
}

TEST_F(LogFileTest, KeepsLinesWholeWhereAskedTo) {
  LogFile file_log = log(0, /*whole_lines=*/true);
  {
    const FullAt full(6);
    file_log.append("one\ntwo\nthree\n");
    EXPECT_EQ(content(file()), "one\n");
  }
  file_log.append("four\n");
  EXPECT_EQ(content(file()),
            "one\n[isoenv: 10 bytes are lost here: EFBIG (File too large)]\nfour\n");
}

TEST_F(LogFileTest, LosesAllOnADeviceThatIsAlwaysFull) {
  fs::create_symlink("/dev/full", file());
  LogFile file_log = log(256 << 10);
  for (int i = 0; i < 100; ++i) file_log.append("one\n");
  file_log.finish();
  EXPECT_EQ(file_log.losses(), "400 bytes are lost: ENOSPC (No space left on device)");
  EXPECT_THAT(news_, testing::SizeIs(1));
}

TEST_F(LogFileTest, KeepsTheNewestWithinItsLimit) {
  LogFile file_log = log(1000);
  std::string all;
  for (int i = 0; i < 200; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    file_log.append(line);
    all += line;
    ASSERT_LE(content(file()).size() + content(old_file()).size(), 1000u);
  }
  const std::string newest = content(file());
  const std::string before = content(old_file());
  const std::string remark =
      "[isoenv: the log's limit of 1000 bytes is reached: what came before "
      "is in 'db.old.log'; dropped since this log was opened: ";
  EXPECT_THAT(newest, testing::StartsWith(remark));
  EXPECT_THAT(before, testing::StartsWith(remark));
  // What is left is the end of all that was written, without a gap, and the count is right.
  const std::string kept =
      before.substr(before.find('\n') + 1) + newest.substr(newest.find('\n') + 1);
  EXPECT_TRUE(all.ends_with(kept)) << kept;
}

TEST_F(LogFileTest, CountsWhatTheLimitDropped) {
  LogFile file_log = log(1000);
  const std::string block(400, 'x');
  for (int i = 0; i < 2; ++i) file_log.append(block);
  EXPECT_EQ(content(file()),
            "[isoenv: the log's limit of 1000 bytes is reached: what came before is in "
            "'db.old.log']\n" +
                block);
  const std::size_t second = content(file()).size();
  file_log.append(block);
  EXPECT_EQ(content(file()),
            "[isoenv: the log's limit of 1000 bytes is reached: what came before is in "
            "'db.old.log'; dropped since this log was opened: 400 bytes]\n" +
                block);
  file_log.append(block);
  EXPECT_THAT(
      content(file()),
      HasSubstr("dropped since this log was opened: " + std::to_string(400 + second) + " bytes]"));
}

TEST_F(LogFileTest, CountsWhatAnEarlierLifeHasWritten) {
  log(1000).append(std::string(400, 'x'));
  LogFile second = log(1000);
  second.append(std::string(400, 'y'));
  EXPECT_EQ(content(old_file()), std::string(400, 'x'));
}

TEST_F(LogFileTest, KeepsItsLimitWhereTheOldTextCannotBeKept) {
  LogFile file_log = log(1000);
  fs::create_directories(old_file() / "in the way");
  for (int i = 0; i < 2; ++i) file_log.append(std::string(400, 'x'));
  const std::size_t dropped = 400 + content(file()).size();
  file_log.append(std::string(400, 'x'));
  EXPECT_EQ(content(file()),
            "[isoenv: the log's limit of 1000 bytes is reached: what came before could not be "
            "kept; dropped since this log was opened: " +
                std::to_string(dropped) + " bytes]\n" + std::string(400, 'x'));
}

TEST_F(LogFileTest, GoesOnWithoutItsFolder) {
  LogFile file_log = log(1000);
  fs::remove_all(file().parent_path());
  for (int i = 0; i < 10; ++i) file_log.append(std::string(400, 'x'));
  file_log.finish();
  EXPECT_EQ(file_log.losses(), "");
  fs::create_directories(file().parent_path());
}

TEST_F(LogFileTest, DoesNotWaitForTheReaderOfAFifoInItsPlace) {
  ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
  try {
    log();
    FAIL() << "it could";
  } catch (const SystemError& error) {
    EXPECT_EQ(error.error_number(), ENXIO);
  }
  const UniqueFd reader(::open(file().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  LogFile file_log = log();
  for (int i = 0; i < 100; ++i) file_log.append(std::string(4096, 'x'));
  EXPECT_THAT(file_log.losses(), HasSubstr("EAGAIN"));
}

TEST_F(LogFileTest, SaysWhichFileItCannotCreate) {
  fs::create_directory(file());
  try {
    log();
    FAIL() << "it could";
  } catch (const SystemError& error) {
    EXPECT_EQ(error.error_number(), EISDIR);
    EXPECT_THAT(error.what(), HasSubstr(file().string()));
  }
}

}  // namespace
}  // namespace isoenv
