// What belongs to one test: the faults that it makes, or that come while it runs, end with it.
#include <csignal>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class TestSessionTest : public SystemTest {
 protected:
  void SetUp() override {
    spec_ = write_spec(R"("services": {
      "web": {"command": ["test_service", "http_hello", "*", "env:PORT"], "ports": {"http": "auto"}},
      "echo": {"command": ["test_service", "tcp_echo", "*", "env:PORT"], "ports": {"main": "auto"}}})");
    options().env["ISOENV_UNDER_TEST"] = ISOENV_EXECUTABLE;
  }

  /// Runs a shell script inside the instance; `$i` is isoenv.
  Outcome script(const std::string& text, const Words& words = {}) const {
    return isoenv(script_words("exec", text, words));
  }
  Words script_words(const std::string& command, const std::string& text,
                     const Words& words = {}) const {
    Words all = {command, "-f", spec_};
    all.insert(all.end(), words.begin(), words.end());
    all.insert(all.end(), {"--", "sh", "-c", "i=$ISOENV_UNDER_TEST; " + text});
    return all;
  }
  std::string ps() const { return isoenv({"ps", "-f", spec_}).out; }
  std::string log() const { return isoenv({"logs", "--file", spec_}).out; }
  bool log_has(const std::string& text) const { return log().find(text) != std::string::npos; }

  std::filesystem::path spec_;
};

TEST_F(TestSessionTest, UndoesAtItsEndWhatTheTestDid) {
  ASSERT_THAT(up(spec_), ExitedWith(0));
  const Outcome outcome = script("$i pause web && $i stop echo && $i kill -s TERM echo; true");
  EXPECT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("web: paused"), HasSubstr("echo: stopped")));
  EXPECT_THAT(ps(), AllOf(Not(HasSubstr("paused")), Not(HasSubstr("stopped"))));
  EXPECT_THAT(
      log(),
      AllOf(HasSubstr("true' begins"), HasSubstr("web: paused by test 'i=$ISOENV_UNDER_TEST;"),
            HasSubstr("web: resumed by the end of the test"), HasSubstr("true' ends")));
  EXPECT_THAT(isoenv({"exec", "-f", spec_, "--service", "web", "--service", "echo", "--", "true"}),
              ExitedWith(0));
  EXPECT_THAT(down(spec_), ExitedWith(0));
}

TEST_F(TestSessionTest, LeavesWhatIsToBeKeptAndWhatComesFromOutside) {
  ASSERT_THAT(up(spec_), ExitedWith(0));
  EXPECT_THAT(script("$i pause --keep web"), ExitedWith(0));
  EXPECT_THAT(ps(), HasSubstr("paused"));
  EXPECT_THAT(isoenv({"resume", "-f", spec_, "web"}), ExitedWith(0));
  EXPECT_THAT(isoenv({"pause", "-f", spec_, "web"}), ExitedWith(0));
  EXPECT_THAT(script("true"), ExitedWith(0));
  EXPECT_THAT(ps(), HasSubstr("paused"));
  EXPECT_THAT(down(spec_), ExitedWith(0));
}

TEST_F(TestSessionTest, EndsWithACommandThatIsKilled) {
  ASSERT_THAT(up(spec_), ExitedWith(0));
  Gate gate = make_gate();
  Process test = start_isoenv(
      script_words("exec", "$i pause web; exec test_service waits_for " + gate.text()));
  ASSERT_TRUE(gate.wait_until_reached());
  EXPECT_THAT(ps(), HasSubstr("paused"));
  test.send_signal(SIGKILL);
  EXPECT_TRUE(eventually([&] { return log_has("' ends"); }));
  EXPECT_THAT(ps(), Not(HasSubstr("paused")));
  EXPECT_THAT(down(spec_), ExitedWith(0));
}

TEST_F(TestSessionTest, KeepsTheTestsOwnExitCode) {
  ASSERT_THAT(up(spec_), ExitedWith(0));
  EXPECT_THAT(script("$i stop web; exit 42"), ExitedWith(42));
  EXPECT_THAT(down(spec_), ExitedWith(0));
}

TEST_F(TestSessionTest, FailsATestWhoseFaultsCannotBeUndone) {
  const auto spec = write_spec(R"("services": {
    "once": {"command": ["sh", "-c", "test ! -e been || exit 3; : > been; echo up; exec sleep 1000"],
             "ready": [{"log": "up"}]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  const Outcome outcome =
      isoenv({"exec", "-f", spec, "--", "sh", "-c", "$ISOENV_UNDER_TEST kill once"});
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("the test fails: what its faults have left cannot be undone"));
  EXPECT_THAT(outcome.err, HasSubstr("exit code 3"));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(TestSessionTest, WorksInAnInstanceOfItsOwnToo) {
  EXPECT_THAT(
      isoenv(script_words("run", "$i pause web && $i ps -f " + spec_.string() + " | grep paused")),
      ExitedWith(0));
}

TEST_F(TestSessionTest, MakesTheFaultsThatWereAskedFor) {
  ASSERT_THAT(up(spec_), ExitedWith(0));
  Gate gate = make_gate();
  Process test =
      start_isoenv({"exec", "-f", spec_, "--fault", "pause:web@0ms", "--fault",
                    "kill=TERM:echo@0s+0s", "--", "test_service", "waits_for", gate.text()});
  ASSERT_TRUE(gate.wait_until_reached());
  EXPECT_TRUE(eventually([&] { return log_has("web: paused by test"); }));
  EXPECT_TRUE(eventually([&] { return log_has("echo: ended as was meant"); }));
  EXPECT_THAT(ps(), HasSubstr("paused"));
  ASSERT_TRUE(gate.open());
  EXPECT_THAT(test.wait(), ExitedWith(0));
  EXPECT_THAT(ps(), Not(HasSubstr("paused")));
  EXPECT_THAT(down(spec_), ExitedWith(0));
}

TEST_F(TestSessionTest, FailsWhenAFaultThatWasAskedForCannotBeMade) {
  ASSERT_THAT(up(spec_), ExitedWith(0));
  ASSERT_THAT(isoenv({"stop", "-f", spec_, "web"}), ExitedWith(0));
  Gate gate = make_gate();
  Process test = start_isoenv({"exec", "-f", spec_, "--fault", "pause:web@0s", "--", "test_service",
                               "waits_for", gate.text()});
  ASSERT_TRUE(gate.wait_until_reached());
  EXPECT_TRUE(eventually([&] { return log_has("the fault 'pause:web@0s' failed"); }));
  ASSERT_TRUE(gate.open());
  const Outcome outcome = test.wait();
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err,
              HasSubstr("the test fails: the fault 'pause:web@0s' failed: cannot pause"));
  EXPECT_THAT(down(spec_), ExitedWith(0));
}

TEST_F(TestSessionTest, TellsOfAFaultWhoseTimeNeverCame) {
  ASSERT_THAT(up(spec_), ExitedWith(0));
  const Outcome outcome = script("true", {"--fault", "pause:web@1m"});
  EXPECT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(outcome.err, HasSubstr("the fault 'pause:web@1m' never came: the test ended before"));
  EXPECT_THAT(down(spec_), ExitedWith(0));
}

TEST_F(TestSessionTest, RefusesAllFaultsThatMakeNoSenseAtOnce) {
  const Outcome wrong =
      isoenv(script_words("run", "true", {"--fault", "puase:web@1s", "--fault", "pause:web@1"}));
  EXPECT_THAT(wrong, ExitedWith(2));
  EXPECT_THAT(wrong.err, AllOf(HasSubstr("did you mean 'pause'?"), HasSubstr("its delay is '1'")));
  const Outcome unknown =
      isoenv(script_words("run", "true", {"--fault", "pause:wbe@1s", "--fault", "stop:ech@1s"}));
  EXPECT_THAT(unknown, ExitedWith(2));
  EXPECT_THAT(unknown.err, AllOf(HasSubstr("did you mean 'web'?"), HasSubstr("mean 'echo'?")));
}

}  // namespace
}  // namespace isoenv::test
