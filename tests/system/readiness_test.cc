// Every readiness kind: passes when it should, tells why when it does not.
#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// A service `slow` whose probe can pass only after the test has released `gate`.
class ReadinessTest : public SystemTest {
 protected:
  struct Kind {
    std::string before;  ///< what the service does while it must not count as ready
    std::string after;   ///< what makes it ready
    std::string probe;
    std::string ports = "{}";
  };

  /// Holds the service at the gate, sees that `up` waits, opens the gate, sees it end well.
  void expect_ready_only_after_the_gate(const Kind& kind) {
    Gate gate = make_gate();
    const auto spec = write_spec(
        R"("services": {"slow": {"command": ["test_service", )" + kind.before +
        R"("creates_file", "before", "then", "waits_for", "gate", "then", )" + kind.after +
        R"(], "ports": )" + kind.ports + R"(, "ready": [)" + kind.probe + "]}}");
    Process waiting = start_up(spec);
    ASSERT_TRUE(gate.wait_until_reached()) << waiting.wait();
    // The keeper answers between two probes: it has had every chance to take the service for ready.
    for (int i = 0; i < 5; ++i) {
      EXPECT_THAT(isoenv({"ps", "-f", spec}).out, HasSubstr("starting"));
    }
    EXPECT_FALSE(waiting.ended());
    ASSERT_TRUE(gate.open());
    EXPECT_THAT(waiting.wait(), ExitedWith(0));
    EXPECT_THAT(isoenv({"ps", "-f", spec}).out, HasSubstr("ready"));
    EXPECT_THAT(down(spec), ExitedWith(0));
  }

  /// A service that stays but never passes `probe`.
  Outcome never_ready(const std::string& probe, const std::string& behaviour = R"("waits")",
                      const std::string& ports = "{}") {
    return up(write_spec(R"("services": {"slow": {"command": ["test_service", )" + behaviour +
                         R"(], "ports": )" + ports + R"(, "ready": [)" + probe +
                         R"(], "ready_timeout": "300ms"}})"));
  }
};

TEST_F(ReadinessTest, TcpPassesWhenThePortListens) {
  expect_ready_only_after_the_gate(
      {"", R"("tcp_echo", "*", "80")", R"({"tcp": "main"})", R"({"main": 80})"});
}

TEST_F(ReadinessTest, UdpPassesWhenThePortIsBound) {
  expect_ready_only_after_the_gate(
      {"", R"("udp_echo", "*", "53")", R"({"udp": "main"})", R"({"main": "53/udp"})"});
}

TEST_F(ReadinessTest, HttpPassesWithTheStatusAndBodyWanted) {
  expect_ready_only_after_the_gate(
      {"", R"("http_hello", "*", "80")",
       R"({"http": "main", "path": "/health", "status": 200, "body": "\"status\": *\"up\""})",
       R"({"main": 80})"});
}

TEST_F(ReadinessTest, LogPassesWithALineThatMatches) {
  expect_ready_only_after_the_gate({R"("writes", "almost ready?\\n", "then", )",
                                    R"("writes", "now ready!\\n", "then", "waits")",
                                    R"({"log": "ready!$"})"});
}

TEST_F(ReadinessTest, LogReadsStderrToo) {
  expect_ready_only_after_the_gate(
      {"", R"("writes", "err:now ready\\n", "then", "waits")", R"({"log": "now ready"})"});
}

TEST_F(ReadinessTest, ExecPassesWhenTheCommandSucceeds) {
  expect_ready_only_after_the_gate(
      {"", R"("tcp_echo", "127.0.0.1", "80", "inner: ")",
       R"({"exec": ["test_service", "tcp_ask", "4", "127.0.0.1", "80", "ping"]})"});
}

TEST_F(ReadinessTest, FilePassesWhenTheFileIsThere) {
  expect_ready_only_after_the_gate(
      {"", R"("creates_file", "after", "then", "waits")", R"({"file": "after"})"});
}

TEST_F(ReadinessTest, UnixPassesWhenTheSocketAccepts) {
  expect_ready_only_after_the_gate(
      {"", R"("unix_echo", "server.sock")", R"({"unix": "server.sock"})"});
}

TEST_F(ReadinessTest, NotifyPassesWithReady1) {
  expect_ready_only_after_the_gate({R"("notifies", "STATUS=warming up", "then", )",
                                    R"("notifies", "STATUS=up\\nREADY=1", "then", "waits")",
                                    R"({"notify": true})"});
}

TEST_F(ReadinessTest, SeveralPassOnlyTogether) {
  expect_ready_only_after_the_gate(
      {R"("writes", "listening soon\\n", "then", )", R"("tcp_echo", "*", "80")",
       R"({"log": "listening soon"}, {"tcp": "main"}, {"file": "before"})", R"({"main": 80})"});
}

TEST_F(ReadinessTest, IsThatEveryTcpPortListensUnlessToldOtherwise) {
  Gate gate = make_gate();
  const auto spec = write_spec(R"("services": {"slow": {
      "command": ["sh", "-c",
          "test_service tcp_echo '*' 80 & test_service waits_for gate; test_service tcp_echo '*' 81"],
      "ports": {"one": 80, "two": 81, "other": "8125/udp"}}})");
  Process waiting = start_up(spec);
  ASSERT_TRUE(gate.wait_until_reached()) << waiting.wait();
  EXPECT_THAT(isoenv({"ps", "-f", spec}).out, HasSubstr("starting"));
  EXPECT_FALSE(waiting.ended());
  ASSERT_TRUE(gate.open());
  EXPECT_THAT(waiting.wait(), ExitedWith(0));
  EXPECT_THAT(exec_in(spec, {"tcp_ask", "any", "slow", "81", "hello"}), ExitedWith(0));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(ReadinessTest, IsTheStartAloneWithoutPorts) {
  const auto spec = write_spec(R"("services": {"quiet": {"command": ["test_service", "waits"]}})");
  EXPECT_THAT(up(spec), ExitedWith(0));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(ReadinessTest, TcpTellsThatNothingListens) {
  const Outcome outcome = never_ready(R"({"tcp": "main"})", R"("waits")", R"({"main": 80})");
  ASSERT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("  slow: "), HasSubstr("within 300 ms"),
                                 HasSubstr("tcp main"), HasSubstr("nothing listens")));
}

TEST_F(ReadinessTest, TcpTellsWhichWrongAddressListens) {
  const Outcome outcome =
      never_ready(R"({"tcp": "main"})", R"("tcp_echo", "127.0.0.1", "8081")", R"({"main": 8081})");
  ASSERT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("listens on 127.0.0.1:8081, expected *:8081"));
}

TEST_F(ReadinessTest, TcpTellsWhichWrongPortListens) {
  const Outcome outcome =
      never_ready(R"({"tcp": "main"})", R"("tcp_echo", "*", "8080")", R"({"main": 8081})");
  ASSERT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr(":8080"), HasSubstr("expected *:8081")));
}

TEST_F(ReadinessTest, UdpTellsThatNothingIsBound) {
  const Outcome outcome = never_ready(R"({"udp": "main"})", R"("waits")", R"({"main": "53/udp"})");
  ASSERT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("udp main"));
}

TEST_F(ReadinessTest, HttpTellsTheLastAnswer) {
  const Outcome outcome = never_ready(R"({"http": "main", "path": "/fail"})",
                                      R"("http_hello", "*", "80")", R"({"main": 80})");
  ASSERT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("http main GET /fail: GET /fail answered 503"));
}

TEST_F(ReadinessTest, HttpRefusesAnotherBody) {
  const Outcome outcome = never_ready(R"({"http": "main", "path": "/health", "body": "down"})",
                                      R"("http_hello", "*", "80")", R"({"main": 80})");
  ASSERT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("http main GET /health"), HasSubstr("down")));
}

TEST_F(ReadinessTest, LogTellsThePatternAndTheLastLines) {
  const Outcome outcome = never_ready(R"({"log": "server started"})",
                                      R"("writes", "loading plugins\\n", "then", "waits")");
  ASSERT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("server started"), HasSubstr("loading plugins")));
}

TEST_F(ReadinessTest, ExecTellsHowTheCommandEndedAndWhatItSaid) {
  const Outcome outcome = never_ready(
      R"({"exec": ["test_service", "writes", "err:not yet\\n", "then", "exits", "3"]})");
  ASSERT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("exit code 3"), HasSubstr("not yet")));
}

TEST_F(ReadinessTest, ExecEndsACommandThatHangs) {
  const Outcome outcome = never_ready(
      R"({"exec": ["test_service", "ignores", "SIGTERM", "then", "leaves_daemon", "daemon", "then", "waits"]})");
  ASSERT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("exec"));
}

TEST_F(ReadinessTest, FileTellsThePathThatIsMissing) {
  const Outcome outcome = never_ready(R"({"file": "no/such/file"})");
  ASSERT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("no/such/file"));
}

TEST_F(ReadinessTest, UnixTellsThePathThatDoesNotAccept) {
  const Outcome outcome =
      never_ready(R"({"unix": "plain"})", R"("creates_file", "plain", "then", "waits")");
  ASSERT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("plain"));
}

TEST_F(ReadinessTest, NotifyTellsTheLastStatus) {
  const Outcome outcome =
      never_ready(R"({"notify": true})", R"("notifies", "STATUS=warming up", "then", "waits")");
  ASSERT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("warming up"));
}

TEST_F(ReadinessTest, EndsAtOnceWhenTheServiceDies) {
  const Outcome outcome = up(write_spec(R"("services": {"slow": {
      "command": ["test_service", "writes", "err:no database\n", "then", "exits", "3"],
      "ports": {"main": 80}, "ready_timeout": "10m"}})"));
  ASSERT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("  slow: "), HasSubstr("exit code 3"),
                                 HasSubstr("no database"), HasSubstr("slow.log")));
}

TEST_F(ReadinessTest, IsNotFooledByAnotherServiceOnTheSamePort) {
  const Outcome outcome = up(write_spec(R"("services": {
    "right": {"command": ["test_service", "tcp_echo", "*", "80"], "ports": {"main": 80}},
    "wrong": {"command": ["test_service", "waits"], "ports": {"main": 80}, "depends": ["right"],
              "ready_timeout": "300ms"}})"));
  ASSERT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("  wrong: "), HasSubstr("nothing listens")));
  EXPECT_THAT(outcome.err, Not(HasSubstr("  right: ")));
}

}  // namespace
}  // namespace isoenv::test
