#include "process/output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "base/syscall.h"
#include "support/await.h"
#include "support/temp_dir.h"

namespace isoenv {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::string_literals;
using test::run_until;

std::string file_content(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

class OutputCaptureTest : public ::testing::Test {
 protected:
  OutputCapture capture(OutputCapture::Sink sink) {
    return {context_.get_executor(), std::move(pipe_.read), LogFile(file(), {}), std::move(sink),
            secrets_};
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
  std::shared_ptr<const Secrets> secrets_;
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
  EXPECT_EQ(file_content(file()), "half a li");
  write("ne\n");
  run_until_sunk("half a line\n");
  EXPECT_EQ(file_content(file()), "half a line\n");
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
  EXPECT_TRUE(file_content(file()) == bytes);
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
    written = written && file_content(file()) == sunk_;
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
  EXPECT_EQ(file_content(file()), "earlier\nlater\n");
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
  EXPECT_EQ(file_content(file()), "one");
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

TEST_F(OutputCaptureTest, KeepsSecretsOutOfTheLogAndOfWhatItPassesOn) {
  secrets_ = std::make_shared<const Secrets>(std::vector<std::string>{"hunter2"});
  OutputCapture output = capture();
  await_drained(output);
  write("token hun");
  run_until_sunk("token ");
  write("ter2\nhunt");
  run_until_sunk("token ***\n");
  EXPECT_EQ(file_content(file()), "token ***\n");
  close_writer();
  run_until(context_, [&] { return drained_ > 0; });
  EXPECT_EQ(file_content(file()), "token ***\nhunt");
  EXPECT_EQ(sunk_, "token ***\nhunt");
}

TEST_F(OutputCaptureTest, TellsWhatItsLogLacks) {
  fs::create_symlink("/dev/full", file());
  const OutputCapture output = capture();
  EXPECT_EQ(output.losses(), "");
  write("one");
  run_until_sunk("one");
  EXPECT_EQ(output.losses(), "3 bytes are lost: ENOSPC (No space left on device)");
}

TEST_F(OutputCaptureTest, LeavesOthersTheirTurnsWhileOneWritesWithoutEnd) {
  const OutputCapture output = capture([&](std::string_view text) {
    sunk_ += text;
    write(std::string(text.size(), 'x'));  // the pipe is never empty
  });
  write(std::string(60000, 'x'));
  int turns = 0;
  const std::function<void()> take_turn = [&] {
    if (++turns < 100) asio::post(context_, take_turn);
  };
  take_turn();
  run_until(context_, [&] { return turns == 100 && sunk_.size() > 600000; });
}

}  // namespace
}  // namespace isoenv
