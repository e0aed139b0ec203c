#include "ready/notify_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <fstream>
#include <optional>

#include "base/error.h"
#include "base/unique_fd.h"
#include "ready/notification.h"
#include "support/await.h"
#include "support/temp_dir.h"

namespace isoenv {
namespace {

using testing::HasSubstr;

TEST(NotificationTest, ReadsAssignmentsOnLines) {
  const Notification said = parse_notification("MAINPID=12\nSTATUS=almost there\nREADY=1\n");
  EXPECT_TRUE(said.ready);
  EXPECT_EQ(said.status, "almost there");
}

TEST(NotificationTest, OnlyReadyOneIsReady) {
  for (const char* message : {"", "READY=0", "READY=", "READY", "READY=10", "NOTREADY=1", "ready=1",
                              "READY=1 ", "STATUS=READY=1", "\n\n=\n", "RELOADING=1"}) {
    EXPECT_FALSE(parse_notification(message).ready) << message;
  }
  EXPECT_TRUE(parse_notification("READY=1").ready);
}

TEST(NotificationTest, CutsAndCleansTheStatus) {
  EXPECT_EQ(parse_notification("STATUS=a\tb\x1b[31m").status, "a b [31m");
  EXPECT_EQ(parse_notification("STATUS=" + std::string(1000, 'x')).status, std::string(256, 'x'));
  EXPECT_EQ(parse_notification("STATUS=" + std::string(255, 'x') + "é").status,
            std::string(255, 'x'));
  EXPECT_EQ(parse_notification("STATUS=").status, "");
  EXPECT_EQ(parse_notification("X=1").status, std::nullopt);
}

class NotifySocketTest : public testing::Test {
 protected:
  void send(std::string_view message) {
    const UniqueFd sender(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(path_.native().begin(), path_.native().end(), address.sun_path);
    ASSERT_EQ(::sendto(*sender, message.data(), message.size(), 0,
                       reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
              static_cast<ssize_t>(message.size()));
  }

  test::TempDir directory_;
  std::filesystem::path path_ = directory_.path() / "notify";
  boost::asio::io_context io_{1};
  int told_ = 0;
  std::optional<NotifySocket> socket_{std::in_place, io_.get_executor(), path_,
                                      [this] { ++told_; }};
};

TEST_F(NotifySocketTest, BecomesReadyAndTellsOnce) {
  EXPECT_FALSE(socket_->ready());
  send("READY=1");
  test::run_until(io_, [&] { return socket_->ready(); });
  send("READY=1\nSTATUS=again");
  test::run_until(io_, [&] { return socket_->status() == "again"; });
  EXPECT_EQ(told_, 1);
}

TEST_F(NotifySocketTest, KeepsTheLastStatus) {
  send("STATUS=loading");
  send("STATUS=serving");
  test::run_until(io_, [&] { return socket_->status() == "serving"; });
  EXPECT_FALSE(socket_->ready());
  EXPECT_EQ(told_, 0);
}

TEST_F(NotifySocketTest, IgnoresGarbageAndWhatIsTooLong) {
  send(std::string("\0\xff=\n\n\0", 6));
  send("READY=1\n" + std::string(5000, 'x'));
  send("");
  send("STATUS=after");
  test::run_until(io_, [&] { return socket_->status() == "after"; });
  EXPECT_FALSE(socket_->ready());
}

TEST_F(NotifySocketTest, RemovesItsFile) {
  EXPECT_TRUE(std::filesystem::is_socket(path_));
  socket_.reset();
  EXPECT_FALSE(std::filesystem::exists(path_));
  io_.poll();
  EXPECT_TRUE(io_.stopped());  // nothing waits any more
}

TEST_F(NotifySocketTest, ReplacesAStaleSocket) {
  const auto stale = directory_.path() / "stale";
  const UniqueFd left_behind(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(stale.native().begin(), stale.native().end(), address.sun_path);
  ASSERT_EQ(::bind(*left_behind, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_NO_THROW(NotifySocket(io_.get_executor(), stale));
}

TEST_F(NotifySocketTest, DoesNotReplaceAnotherFile) {
  const auto file = directory_.path() / "file";
  std::ofstream(file) << "mine";
  EXPECT_THROW(NotifySocket(io_.get_executor(), file), SystemError);
  EXPECT_TRUE(std::filesystem::is_regular_file(file));
}

TEST_F(NotifySocketTest, RefusesAPathThatDoesNotFit) {
  const auto path = directory_.path() / std::string(120, 'n');
  try {
    const NotifySocket socket(io_.get_executor(), path);
    FAIL() << "accepted";
  } catch (const SystemError& error) {
    EXPECT_EQ(error.error_number(), ENAMETOOLONG);
    EXPECT_THAT(error.hint(), HasSubstr("shorter"));
  }
}

}  // namespace
}  // namespace isoenv
