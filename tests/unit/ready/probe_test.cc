#include "ready/probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <fstream>

#include "base/unique_fd.h"
#include "support/await.h"
#include "support/temp_dir.h"

namespace isoenv {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

class ProbeTest : public testing::Test {
 protected:
  ProbeTest() {
    context_.ipv4 = "10.79.0.2";
    context_.working_directory = directory_.path();
  }

  ProbeResult ask(ProbeKind kind) {
    probe_.kind = kind;
    return test::await(io_, attempt(probe_, context_, milliseconds(700)));
  }

  /// A unix socket of `type`, bound relative to the directory it lies in: any length will do.
  UniqueFd bind_unix(const std::filesystem::path& path, int type) {
    UniqueFd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    const std::filesystem::path old = std::filesystem::current_path();
    std::filesystem::current_path(path.parent_path());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = path.filename();
    std::copy(name.begin(), name.end(), address.sun_path);
    EXPECT_EQ(::bind(*socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    std::filesystem::current_path(old);
    return socket;
  }

  UniqueFd listen_unix(const std::filesystem::path& path, int type) {
    UniqueFd socket = bind_unix(path, type);
    EXPECT_EQ(::listen(*socket, 1), 0);
    return socket;
  }

  test::TempDir directory_;
  boost::asio::io_context io_{1};
  ProbePlan probe_;
  ProbeContext context_;
};

TEST_F(ProbeTest, TcpAndUdpAskForTheirOwnProtocol) {
  context_.listening_sockets = [](Protocol protocol) {
    const std::uint16_t port = protocol == Protocol::kTcp ? 80 : 53;
    return std::vector<BoundSocket>{{"0.0.0.0", port, false}};
  };
  probe_.port = 80;
  EXPECT_TRUE(ask(ProbeKind::kTcp).passed);
  EXPECT_FALSE(ask(ProbeKind::kUdp).passed);
  EXPECT_EQ(ask(ProbeKind::kUdp).answer, "listens on 0.0.0.0:53, expected *:80");
  probe_.port = 53;
  EXPECT_TRUE(ask(ProbeKind::kUdp).passed);
}

TEST_F(ProbeTest, LogAsksForItsPattern) {
  probe_.pattern = "ready";
  context_.log_matches = [](const std::string& pattern) { return pattern == "ready"; };
  EXPECT_TRUE(ask(ProbeKind::kLog).passed);
  probe_.pattern = "other";
  EXPECT_FALSE(ask(ProbeKind::kLog).passed);
  EXPECT_EQ(ask(ProbeKind::kLog).answer, "no line matched yet");
}

TEST_F(ProbeTest, NotifyTellsTheLastStatus) {
  bool ready = false;
  std::string status;
  context_.notified_ready = [&] { return ready; };
  context_.notify_status = [&] { return status; };
  EXPECT_EQ(ask(ProbeKind::kNotify).answer, "has not sent READY=1");
  status = "migrating";
  EXPECT_EQ(ask(ProbeKind::kNotify).answer, "has not sent READY=1; its status is 'migrating'");
  EXPECT_FALSE(ask(ProbeKind::kNotify).passed);
  ready = true;
  EXPECT_TRUE(ask(ProbeKind::kNotify).passed);
}

TEST_F(ProbeTest, ExecPassesOnExitCodeZeroAlone) {
  CommandOutcome outcome;
  std::vector<std::string> command;
  milliseconds timeout{};
  context_.run_command = [&](std::vector<std::string> argv,
                             milliseconds limit) -> boost::asio::awaitable<CommandOutcome> {
    command = std::move(argv);
    timeout = limit;
    co_return outcome;
  };
  probe_.command = {"pg_isready", "-q"};

  outcome.finished = true;
  EXPECT_TRUE(ask(ProbeKind::kExec).passed);
  EXPECT_THAT(command, ElementsAre("pg_isready", "-q"));
  EXPECT_EQ(timeout, milliseconds(700));

  outcome.status.code = 2;
  outcome.last_output = "no response\n";
  EXPECT_FALSE(ask(ProbeKind::kExec).passed);
  EXPECT_EQ(ask(ProbeKind::kExec).answer, "exit code 2: no response");

  outcome = {.finished = false, .status = {}, .last_output = "", .error = ""};
  EXPECT_FALSE(ask(ProbeKind::kExec).passed);
  EXPECT_EQ(ask(ProbeKind::kExec).answer, "still running after 700 ms");

  outcome = {.finished = false, .status = {}, .last_output = "", .error = "'pg_isready' not found"};
  EXPECT_FALSE(ask(ProbeKind::kExec).passed);
  EXPECT_EQ(ask(ProbeKind::kExec).answer, "'pg_isready' not found");
}

TEST_F(ProbeTest, ExecTellsTheEndOfLongOutput) {
  context_.run_command = [&](std::vector<std::string>,
                             milliseconds) -> boost::asio::awaitable<CommandOutcome> {
    CommandOutcome outcome;
    outcome.finished = true;
    outcome.status.code = 1;
    outcome.last_output = std::string(10'000, 'x') + "the reason\n\n";
    co_return outcome;
  };
  const std::string answer = ask(ProbeKind::kExec).answer;
  EXPECT_TRUE(answer.ends_with("the reason"));
  EXPECT_LT(answer.size(), 600U);
}

TEST_F(ProbeTest, FileWaitsForItsPath) {
  probe_.path = "out/ready";
  const ProbeResult missing = ask(ProbeKind::kFile);
  EXPECT_FALSE(missing.passed);
  EXPECT_EQ(missing.answer,
            "'" + (directory_.path() / "out/ready").string() + "' does not exist yet");

  std::filesystem::create_directory(directory_.path() / "out");
  std::ofstream(directory_.path() / "out/ready") << "";
  EXPECT_TRUE(ask(ProbeKind::kFile).passed);
}

TEST_F(ProbeTest, FileTakesAnAbsolutePath) {
  probe_.path = (directory_.path() / "pid").string();
  context_.working_directory = "/nonexistent";
  std::ofstream(probe_.path) << "1";
  EXPECT_TRUE(ask(ProbeKind::kFile).passed);
}

TEST_F(ProbeTest, UnixConnectsToListenersOfEveryType) {
  probe_.path = "stream";
  const UniqueFd stream = listen_unix(directory_.path() / "stream", SOCK_STREAM);
  EXPECT_TRUE(ask(ProbeKind::kUnix).passed);
  probe_.path = "seqpacket";
  const UniqueFd seqpacket = listen_unix(directory_.path() / "seqpacket", SOCK_SEQPACKET);
  EXPECT_TRUE(ask(ProbeKind::kUnix).passed);
  probe_.path = "datagram";
  const UniqueFd datagram = bind_unix(directory_.path() / "datagram", SOCK_DGRAM);
  EXPECT_TRUE(ask(ProbeKind::kUnix).passed);
}

TEST_F(ProbeTest, UnixWaitsForAListener) {
  probe_.path = "socket";
  EXPECT_THAT(ask(ProbeKind::kUnix).answer, HasSubstr("does not exist yet"));
  const UniqueFd socket = bind_unix(directory_.path() / "socket", SOCK_STREAM);
  const ProbeResult bound = ask(ProbeKind::kUnix);
  EXPECT_FALSE(bound.passed);
  EXPECT_THAT(bound.answer, HasSubstr("nothing listens on '"));
  ASSERT_EQ(::listen(*socket, 1), 0);
  EXPECT_TRUE(ask(ProbeKind::kUnix).passed);
}

TEST_F(ProbeTest, UnixDoesNotTakeAFileForASocket) {
  probe_.path = "file";
  std::ofstream(directory_.path() / "file") << "";
  EXPECT_FALSE(ask(ProbeKind::kUnix).passed);
}

TEST_F(ProbeTest, UnixPassesWhenTheBacklogIsFull) {
  probe_.path = "busy";
  const UniqueFd socket = listen_unix(directory_.path() / "busy", SOCK_STREAM);
  for (int clients = 0; clients < 5; ++clients) EXPECT_TRUE(ask(ProbeKind::kUnix).passed);
}

TEST_F(ProbeTest, UnixTakesAPathLongerThanAnAddress) {
  const std::filesystem::path deep =
      directory_.path() / std::string(120, 'd') / std::string(90, 's');
  std::filesystem::create_directory(deep.parent_path());
  probe_.path = deep.string();
  EXPECT_THAT(ask(ProbeKind::kUnix).answer, HasSubstr("does not exist yet"));
  const UniqueFd socket = listen_unix(deep, SOCK_STREAM);
  EXPECT_TRUE(ask(ProbeKind::kUnix).passed);
}

TEST_F(ProbeTest, ExitNeverPassesByAsking) { EXPECT_FALSE(ask(ProbeKind::kExit).passed); }

TEST_F(ProbeTest, NamesProbesAsTheSpecDoes) {
  probe_.port_name = "http";
  probe_.path = "/health";
  probe_.pattern = "up.*";
  probe_.command = {"check", "me"};
  const auto name = [this](ProbeKind kind) {
    probe_.kind = kind;
    return describe(probe_);
  };
  EXPECT_EQ(name(ProbeKind::kTcp), "tcp http");
  EXPECT_EQ(name(ProbeKind::kUdp), "udp http");
  EXPECT_EQ(name(ProbeKind::kHttp), "http http GET /health");
  EXPECT_EQ(name(ProbeKind::kLog), "log /up.*/");
  EXPECT_EQ(name(ProbeKind::kExec), "exec check me");
  EXPECT_EQ(name(ProbeKind::kFile), "file /health");
  EXPECT_EQ(name(ProbeKind::kUnix), "unix /health");
  EXPECT_EQ(name(ProbeKind::kNotify), "notify");
  EXPECT_EQ(name(ProbeKind::kExit), "exit 0");
}

}  // namespace
}  // namespace isoenv
