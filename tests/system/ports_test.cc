// The ports rung: no namespaces, and all the same nobody else's port, and nothing left.
#include <csignal>

#include "harness/control.h"
#include "netns/port_reservation.h"
#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kDaemons = R"("services": {
  "web": {"command": ["test_service", "ignores", "SIGTERM", "then", "leaves_daemon", "{{self.tmp}}/d",
                      "then", "tcp_echo", "*", "env:PORT"],
          "ports": {"http": "auto"}, "stop_timeout": "50ms", "allow_failure": true},
  "more": {"command": ["test_service", "leaves_daemon", "{{self.tmp}}/d", "then", "waits"], "allow_failure": true}})";

class PortsTest : public SystemTest {
 protected:
  PortsTest() { options().env["ISOENV_ISOLATION"] = "ports"; }

  /// Kills every process of the test that has this name, or the keeper for `isoenv`.
  void kill_all(const std::string& name) const {
    for (const LivingProcess& process : processes()) {
      if (process.name == name) ::kill(process.pid, SIGKILL);
    }
  }
};

TEST_F(PortsTest, AnswersAtTheReservedPortAndSaysWhichRungItHas) {
  const auto spec = write_spec(kDaemons);
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_THAT(isoenv({"ps", "-f", spec}).out, HasSubstr("rung 'ports'"));
  const std::string port = variable(exec_in(spec, {"shows_environment"}).out, "ISOENV_WEB_PORT");
  EXPECT_THAT(exec_in(spec, {"tcp_ask", "any", "127.0.0.1", port, "x"}).out, HasSubstr("x"));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(PortsTest, LeavesNothingWhenTheKeeperIsKilled) {
  ASSERT_THAT(up(write_spec(kDaemons)), ExitedWith(0));
  ::kill(keeper(), SIGKILL);
}

TEST_F(PortsTest, LeavesNothingWhenKeeperAndTidierAreKilled) {
  ASSERT_THAT(up(write_spec(kDaemons)), ExitedWith(0));
  const pid_t killed = keeper();
  kill_all("isoenv-tidy");
  ::kill(killed, SIGKILL);
  EXPECT_TRUE(eventually([&] { return processes().empty(); }));
  EXPECT_THAT(isoenv({"down"}), ExitedWith(0));  // sweeps the files
}

TEST_F(PortsTest, LeavesNothingOfAServiceWhoseInitIsKilled) {
  const auto spec = write_spec(kDaemons);
  ASSERT_THAT(up(spec), ExitedWith(0));
  kill_all("isoenv-init");
  EXPECT_TRUE(eventually([&] {
    for (const LivingProcess& process : processes()) {
      if (process.name == "test_service") return false;
    }
    return true;
  }));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(PortsTest, RefusesAnInstanceOfAnotherRung) {
  const auto spec = write_spec(kDaemons);
  ASSERT_THAT(up(spec), ExitedWith(0));
  const Outcome outcome = up(spec, {"--isolation", "netns"});
  EXPECT_THAT(outcome, ExitedWith(2));
  EXPECT_THAT(outcome.err, HasSubstr("is up without namespaces"));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(PortsTest, GivesPortsBackBeforeAnybodyHearsOfTheEnd) {
  const auto spec = write_spec(R"("services": {
    "web": {"command": ["test_service", "tcp_echo", "*", "env:PORT"], "ports": {"http": "auto"}}})");
  for (int times = 0; times < 8; ++times) {
    ASSERT_THAT(up(spec), ExitedWith(0));
    const std::string port = variable(exec_in(spec, {"shows_environment"}).out, "ISOENV_WEB_PORT");
    auto client = ControlClient::connect(RunDirectory{runtime_dir(), instance_id()});
    ASSERT_TRUE(client);
    (void)client->ask({Request::Kind::kDown, {}});
    client->wait_for_end();
    PortReservations next;
    const auto refusal = next.take(Protocol::kTcp, static_cast<std::uint16_t>(std::stoi(port)), "");
    EXPECT_FALSE(refusal) << refusal->why;
  }
}

TEST_F(PortsTest, NamesTheInstanceThatHasAFixedPort) {
  const auto spec = write_spec(kDaemons);
  ASSERT_THAT(up(spec), ExitedWith(0));
  const std::string port = variable(exec_in(spec, {"shows_environment"}).out, "ISOENV_WEB_PORT");
  const auto second = write_spec(R"("services": {"late": {"command": ["test_service", "waits"],
                                    "ports": {"http": )" +
                                     port + "}}}",
                                 "second.json");
  const Outcome outcome = up(second);
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("port " + port + " of 'late'"));
  EXPECT_THAT(outcome.err, HasSubstr("of the instance of 'lab' from '" + spec.string() + "'"));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(PortsTest, IsWhatAutoFallsToAndSays) {
  options().env["ISOENV_ISOLATION"] = "auto";
  const auto spec = write_spec(kDaemons);
  const Outcome outcome = isoenv_under(
      {"--docker"}, {"up", "-f", spec, "--artefacts", artefact_dir(), "--owner", "none"});
  EXPECT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(outcome.out, HasSubstr("no namespaces, ports of the host's loopback instead: "
                                     "cannot create a user namespace: EPERM"));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(PortsTest, RefusesAWordThatIsNoIsolation) {
  const Outcome outcome = up(write_spec(kDaemons), {"--isolation", "port"});
  EXPECT_THAT(outcome, ExitedWith(2));
  EXPECT_THAT(outcome.err, HasSubstr("did you mean 'ports'?"));
}

}  // namespace
}  // namespace isoenv::test
