// `launcher`: words before a service's command, which is the service all the same.
#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class LauncherTest : public SystemTest {
 protected:
  std::string log_of(const std::string& service) const {
    return read_file(artefact_dir() / "latest" / (service + ".log"));
  }
};

TEST_F(LauncherTest, StandsBeforeTheCommandAndNotBeforeProbes) {
  const auto spec = write_spec(R"("services": {"web": {
      "launcher": ["env", "COLOUR=red", "NAME={{self.name}}"],
      "command": ["test_service", "shows_environment", "then", "tcp_echo", "*", "80"],
      "ports": {"http": 80}, "env": {"COLOUR": "blue"},
      "ready": [{"tcp": "http"}, {"exec": ["sh", "-c", "test $COLOUR = blue"]}]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_EQ(variable(log_of("web"), "COLOUR"), "red");
  EXPECT_EQ(variable(log_of("web"), "NAME"), "web");
  EXPECT_THAT(down(spec), ExitedWith(0));
}

/// A launcher that stays, as gdbserver and strace do: the stop signal must not be spent on it.
constexpr char kStays[] = R"("launcher": ["sh", "-c", "\"$@\"; exit $?", "stays"])";

TEST_F(LauncherTest, LeavesTheStopSignalToTheProgramBehindIt) {
  const auto spec = write_spec(std::string(R"("services": {"web": {)") + kStays + R"(,
      "command": ["test_service", "exits_on", "SIGTERM", "42", "then", "writes", "armed\n", "then", "waits"],
      "ready": [{"log": "armed"}], "expect_exit": [42]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  const Outcome outcome = down(spec);
  EXPECT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(outcome.out, HasSubstr("web: stopped (exit code 42)"));
}

TEST_F(LauncherTest, GetsTheStopSignalItselfWhenNoSuchProgramRuns) {
  const auto spec = write_spec(R"("services": {"web": {
      "launcher": ["test_service", "exits_on", "SIGTERM", "43", "then", "writes", "armed\n", "then",
                   "waits", "for"], "command": ["true"], "ready": [{"log": "armed"}]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_THAT(down(spec).out, HasSubstr("web: stopped (exit code 43)"));
}

TEST_F(LauncherTest, HasItsExitTakenForTheTasks) {
  const auto spec = write_spec(std::string(R"("tasks": {"seed": {)") + kStays +
                               R"(, "command": ["test_service", "exits", "7"]}})");
  const Outcome outcome = up(spec);
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("exit code 7"));
}

TEST_F(LauncherTest, IsNamedWhenItIsNotThere) {
  const auto spec = write_spec(R"("services": {"web": {
      "launcher": ["no_such_tracer"], "command": ["test_service", "waits"]}})");
  const Outcome outcome = up(spec);
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("no program 'no_such_tracer' in PATH"),
                                 HasSubstr("while looking for the launcher")));
}

TEST_F(LauncherTest, DoesNotHideThatTheProgramIsNotThere) {
  const auto spec = write_spec(R"("services": {"web": {
      "launcher": ["env"], "command": ["no_such_program"]}})");
  const Outcome outcome = up(spec);
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("no program 'no_such_program'"), Not(HasSubstr("launcher"))));
}

TEST_F(LauncherTest, WorksWithoutNamespacesToo) {
  options().env["ISOENV_ISOLATION"] = "ports";
  const auto spec = write_spec(std::string(R"("services": {"web": {)") + kStays + R"(,
      "command": ["test_service", "exits_on", "SIGTERM", "42", "then", "tcp_echo", "*", "env:PORT"],
      "ports": {"http": "auto"}}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_THAT(down(spec).out, HasSubstr("web: stopped (exit code 42)"));
}

}  // namespace
}  // namespace isoenv::test
