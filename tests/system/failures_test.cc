// What goes wrong with a service must end cleanly, with one clear message, and leave nothing.
#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class FailuresTest : public SystemTest {
 protected:
  /// `up` of a service `bad` with this declaration, after a healthy one that must be stopped again.
  Outcome up_bad(const std::string& declaration) {
    return up(write_spec(R"("services": {
      "good": {"command": ["test_service", "tcp_echo", "*", "80"], "ports": {"main": 80}},
      "bad": {)" + declaration +
                         R"(, "depends": ["good"]}})"));
  }
};

TEST_F(FailuresTest, NameAProgramThatIsNotFoundAndThePathSearched) {
  const Outcome outcome = up_bad(R"("command": ["no_such_program", "--flag"])");
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("  bad: "), HasSubstr("'no_such_program'"),
                                 HasSubstr("PATH"), HasSubstr("/usr/bin")));
}

TEST_F(FailuresTest, LookForTheProgramInThePathOfTheService) {
  std::filesystem::create_directory(dir() / "bin");
  std::filesystem::create_symlink("/bin/true", dir() / "bin" / "only_here");
  const auto spec = write_spec(R"("tasks": {"job": {"command": ["only_here"],
      "env": {"PATH": ")" + (dir() / "bin").string() +
                               R"("}}})");
  EXPECT_THAT(up(spec), ExitedWith(0));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(FailuresTest, NameAFileThatIsNotThere) {
  const Outcome outcome = up_bad(R"("command": ["./bin/server"])");
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("  bad: "), HasSubstr("bin/server")));
}

TEST_F(FailuresTest, NameAFileThatIsNotExecutable) {
  write_file("script.sh", "#!/bin/sh\n");
  const Outcome outcome = up_bad(R"("command": ["./script.sh"])");
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("  bad: "), HasSubstr("script.sh"), HasSubstr("not executable")));
}

TEST_F(FailuresTest, NameAScriptWhoseInterpreterIsMissing) {
  write_file("script.sh", "#!/no/such/interpreter\n");
  std::filesystem::permissions(dir() / "script.sh", std::filesystem::perms::owner_all);
  const Outcome outcome = up_bad(R"("command": ["./script.sh"])");
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("  bad: "), HasSubstr("script.sh")));
}

TEST_F(FailuresTest, NameAWorkingDirectoryThatIsNotThere) {
  const Outcome outcome =
      up_bad(R"("command": ["test_service", "waits"], "working_directory": "no/where")");
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("  bad: "), HasSubstr("no/where")));
}

TEST_F(FailuresTest, TellTheExitCodeLastLinesAndLogOfAServiceThatExitsAtOnce) {
  const Outcome outcome = up_bad(
      R"("command": ["test_service", "writes", "err:bad config\n", "then", "exits", "3"],
         "ports": {"main": 80})");
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("  bad: "), HasSubstr("exit code 3"),
                                 HasSubstr("bad config"), HasSubstr("bad.log")));
}

TEST_F(FailuresTest, NameNoLogOfAServiceThatWroteNothing) {
  const Outcome outcome =
      up_bad(R"("command": ["test_service", "exits", "3"], "ports": {"main": 8081})");
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("it wrote nothing"), Not(HasSubstr("bad.log"))));
}

TEST_F(FailuresTest, TellTheSignalOfAServiceThatCrashes) {
  const Outcome outcome =
      up_bad(R"("command": ["test_service", "crashes", "abort"], "ports": {"main": 80})");
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("  bad: "), HasSubstr("SIGABRT")));
}

TEST_F(FailuresTest, DiagnoseAServiceThatIsNeverReady) {
  const Outcome outcome = up_bad(
      R"("command": ["test_service", "writes", "thinking\n", "then", "waits"],
         "ports": {"main": 8080}, "ready_timeout": "300ms")");
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("  bad: "), HasSubstr("within 300 ms"), HasSubstr("tcp main"),
                    HasSubstr("nothing listens"), HasSubstr("thinking"), HasSubstr("bad.log")));
}

TEST_F(FailuresTest, DiagnoseAServiceOnTheWrongAddress) {
  const Outcome outcome = up_bad(
      R"("command": ["test_service", "tcp_echo", "127.0.0.1", "8081"],
         "ports": {"main": 8081}, "ready_timeout": "300ms")");
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("  bad: "), HasSubstr("listens on 127.0.0.1:8081, expected *:8081")));
}

TEST_F(FailuresTest, ReportAServiceThatIgnoresItsStopSignal) {
  const auto spec = write_spec(R"("services": {"deaf": {"command": ["test_service", "ignores",
      "SIGTERM", "then", "writes", "armed\n", "then", "waits"],
      "ready": [{"log": "armed"}], "stop_timeout": "200ms"}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  const Outcome outcome = down(spec);
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.out + outcome.err, HasSubstr("deaf: did not stop in time and was killed"));
}

TEST_F(FailuresTest, UseTheStopSignalOfTheService) {
  const auto spec = write_spec(R"("services": {"polite": {"command": ["sh", "-c",
      "trap 'echo bye > said; exit 0' INT; trap '' TERM; echo armed; while :; do sleep 0.01; done"],
      "ready": [{"log": "armed"}], "stop_signal": "SIGINT", "stop_timeout": "60s"}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  ASSERT_THAT(down(spec), ExitedWith(0));
  EXPECT_EQ(read_file(dir() / "said"), "bye\n");
}

TEST_F(FailuresTest, EndDaemonsOfAServiceThatForkTwice) {
  const auto spec = write_spec(R"("services": {"forks": {"command": ["test_service",
      "leaves_daemon", "daemon", "then", "forks", "50", "then", "writes", "forked\n", "then", "waits"],
      "ready": [{"log": "forked"}]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_TRUE(std::filesystem::exists(dir() / "daemon"));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(FailuresTest, EndDaemonsOfAServiceThatHasExitedItself) {
  const auto spec = write_spec(R"("tasks": {"job": {"command": ["test_service", "leaves_daemon",
      "daemon", "then", "exits", "0"]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(FailuresTest, TellAboutAFailedTask) {
  const Outcome outcome = up(write_spec(R"("tasks": {"seed": {"command": ["test_service", "writes",
      "err:duplicate key\n", "then", "exits", "1"]}})"));
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("  seed: "), HasSubstr("exit code 1"), HasSubstr("duplicate key")));
}

TEST_F(FailuresTest, TellAboutATaskThatTakesTooLong) {
  const Outcome outcome = up(write_spec(R"("tasks": {"seed": {"command": ["test_service", "waits"],
      "ready_timeout": "300ms"}})"));
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("  seed: "), HasSubstr("within 300 ms")));
}

TEST_F(FailuresTest, TellAboutEveryServiceThatFailed) {
  const Outcome outcome = up(write_spec(R"("services": {
    "one": {"command": ["test_service", "waits"], "ports": {"main": 80}, "ready_timeout": "300ms"},
    "two": {"command": ["test_service", "waits"], "ports": {"main": 80}, "ready_timeout": "300ms"},
    "three": {"command": ["test_service", "exits", "3"], "ports": {"main": 80}}})"));
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("  one, two: not ready within 300 ms\n"),
                                 HasSubstr("  three: ended before it was ready: exit code 3\n")));
}

TEST_F(FailuresTest, OfTheEnvironmentEndRunWith125) {
  const Outcome outcome = run_in(write_spec(R"("services": {"bad": {"command": ["test_service",
      "exits", "3"], "ports": {"main": 80}}})"),
                                 {"creates_file", dir() / "ran"});
  EXPECT_THAT(outcome, ExitedWith(125));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("  bad: "), HasSubstr("exit code 3")));
  EXPECT_FALSE(std::filesystem::exists(dir() / "ran"));
}

TEST_F(FailuresTest, LeaveAnInstanceThatWasUpBeforeAsItIs) {
  const auto spec = write_spec(R"("services": {
    "good": {"command": ["test_service", "tcp_echo", "*", "80", "good: "], "ports": {"main": 80}},
    "bad": {"command": ["test_service", "exits", "3"], "ports": {"main": 80}}})");
  ASSERT_THAT(up(spec, {"good"}), ExitedWith(0));
  EXPECT_THAT(up(spec, {"bad"}), ExitedWith(1));
  EXPECT_EQ(exec_in(spec, {"tcp_ask", "any", "good", "80", "x"}).out, "good: x\n");
  EXPECT_THAT(down(spec), ExitedWith(0));
}

}  // namespace
}  // namespace isoenv::test
