// `stop`, `start`, `restart`, `kill`, `pause` and `resume`: what is done to services on purpose.
#include <nlohmann/json.hpp>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using Json = nlohmann::json;

/// `flock`, with children and a daemon; `user` needs it; `deaf` does not stop when asked to.
class FaultsTest : public SystemTest {
 protected:
  void SetUp() override {
    spec_ = write_spec(R"("services": {
      "flock": {"command": ["sh", "-c", "echo start >> starts; exec \"$0\" \"$@\"", "test_service",
                            "forks", "3", "then", "leaves_daemon", "{{self.tmp}}/daemon", "then",
                            "tcp_echo", "*", "env:PORT", "flock: "], "ports": {"main": "auto"}},
      "user": {"command": ["test_service", "http_hello", "*", "env:PORT"], "ports": {"http": "auto"},
               "depends": ["flock"]},
      "deaf": {"command": ["test_service", "ignores", "SIGTERM", "then", "writes", "deaf\n", "then",
                           "waits"], "ready": [{"log": "deaf"}], "stop_timeout": "50ms", "allow_failure": true}})");
    ASSERT_THAT(up(spec_), ExitedWith(0));
  }
  void TearDown() override {
    EXPECT_THAT(down(spec_), ExitedWith(0));
    SystemTest::TearDown();
  }

  Outcome act(const std::string& command, const Words& words) const {
    Words all = {command, "-f", spec_};
    all.insert(all.end(), words.begin(), words.end());
    return isoenv(all);
  }
  std::string state(const std::string& service) const {
    const Outcome outcome = isoenv({"ps", "-f", spec_, "--json"});
    for (const Json& row : Json::parse(outcome.out)) {
      if (row.at("service") == service) return row.at("state");
    }
    return "no such service";
  }
  /// The one-letter states of all processes whose environment says that they are of the service.
  std::vector<std::string> process_states(const std::string& service) const {
    std::vector<std::string> states;
    for (const LivingProcess& process : processes()) {
      const std::string folder = "/proc/" + std::to_string(process.pid);
      const std::string environment = read_file(folder + "/environ");
      if (environment.find(std::string(1, '\0') + "SERVICE_NAME=" + service + '\0') ==
          std::string::npos) {
        continue;
      }
      const std::string stat = read_file(folder + "/stat");
      states.push_back(stat.substr(stat.rfind(')') + 2, 1));
    }
    return states;
  }
  std::string answer() const {
    const std::string port =
        variable(exec_in(spec_, {"shows_environment"}).out, "ISOENV_FLOCK_PORT");
    const std::string host =
        variable(exec_in(spec_, {"shows_environment"}).out, "ISOENV_FLOCK_HOST");
    return exec_in(spec_, {"tcp_ask", "any", host, port, "x"}).out;
  }
  std::string log() const { return isoenv({"logs", "--file", spec_}).out; }

  std::filesystem::path spec_;
};

TEST_F(FaultsTest, PauseStopsEveryProcessOfTheServiceAndNoOther) {
  EXPECT_THAT(process_states("flock"), SizeIs(5));
  const Outcome paused = act("pause", {"flock"});
  EXPECT_THAT(paused, ExitedWith(0));
  EXPECT_EQ(paused.out, "flock: paused\n");
  // A process stops when it is its turn to run.
  EXPECT_TRUE(eventually([&] {
    return ::testing::Value(process_states("flock"), AllOf(SizeIs(5), Each("T")));
  }));
  EXPECT_THAT(process_states("user"), AllOf(SizeIs(1), Not(Contains("T"))));
  EXPECT_EQ(state("flock"), "paused");
  EXPECT_EQ(state("user"), "ready");

  EXPECT_EQ(act("resume", {"flock"}).out, "flock: resumed\n");
  EXPECT_THAT(process_states("flock"), AllOf(SizeIs(5), Not(Contains("T"))));
  EXPECT_EQ(answer(), "flock: x\n");
}

// Again and again: its namespaces end in the kernel's own time.
TEST_F(FaultsTest, AServiceThatHasEndedRefusesConnectionsAtOnce) {
  ASSERT_EQ(answer(), "flock: x\n");
  const std::string shown = exec_in(spec_, {"shows_environment"}).out;
  const std::string port = variable(shown, "ISOENV_FLOCK_PORT");
  const std::string host = variable(shown, "ISOENV_FLOCK_HOST");
  for (const char* end : {"kill", "stop"}) {
    EXPECT_THAT(act(end, {"flock"}), ExitedWith(0));
    for (int i = 0; i < 8 && !HasFailure(); ++i) {
      EXPECT_THAT(exec_in(spec_, {"tcp_ask", "4", host, port, "x"}).err,
                  HasSubstr("Connection refused"));
    }
    EXPECT_THAT(act("start", {"flock"}), ExitedWith(0));
    EXPECT_EQ(answer(), "flock: x\n");
  }
}

TEST_F(FaultsTest, APausedServiceTakesAConnectionAndAnswersWhenItIsResumed) {
  const Outcome shown = exec_in(spec_, {"shows_environment"});
  ASSERT_THAT(act("pause", {"flock"}), ExitedWith(0));
  Process waiting = start_isoenv({"exec", "-f", spec_, "--", "test_service", "tcp_ask", "any",
                                  variable(shown.out, "ISOENV_FLOCK_HOST"),
                                  variable(shown.out, "ISOENV_FLOCK_PORT"), "x"});
  ASSERT_TRUE(eventually([&] {
    for (const LivingProcess& process : processes()) {
      if (process.command_line.starts_with("test_service tcp_ask")) return true;
    }
    return false;
  }));
  EXPECT_THAT(process_states("flock"), Each("T"));
  ASSERT_THAT(act("resume", {"flock"}), ExitedWith(0));
  const Outcome asked = waiting.wait();
  EXPECT_EQ(asked.out, "flock: x\n") << asked;
}

TEST_F(FaultsTest, APausedServiceIsStoppedAndTakenDownPolitely) {
  ASSERT_THAT(act("pause", {"flock"}), ExitedWith(0));
  EXPECT_EQ(act("stop", {"flock"}).out, "flock: stopped, killed by SIGTERM\n");
  ASSERT_THAT(act("pause", {"user"}), ExitedWith(0));
  EXPECT_THAT(down(spec_, {"user"}).out, HasSubstr("stopped"));
}

TEST_F(FaultsTest, StopLeavesDependentsUpAndNoProcessOfItsOwn) {
  EXPECT_EQ(act("stop", {"flock"}).out, "flock: stopped, killed by SIGTERM\n");
  EXPECT_THAT(process_states("flock"), IsEmpty());
  EXPECT_EQ(state("flock"), "stopped");
  EXPECT_EQ(state("user"), "ready");
  const Outcome missing = isoenv({"exec", "-f", spec_, "--service", "flock", "--", "true"});
  EXPECT_THAT(missing, ExitedWith(125));
  EXPECT_THAT(missing.err, HasSubstr("flock: stopped by 'isoenv stop, pid "));
  EXPECT_THAT(act("start", {"flock"}).out, HasSubstr("flock: ready after"));
  EXPECT_EQ(answer(), "flock: x\n");
  EXPECT_EQ(read_file(dir() / "starts"), "start\nstart\n");
}

TEST_F(FaultsTest, StopTellsWhoHadToBeKilled) {
  EXPECT_EQ(act("stop", {"deaf"}).out, "deaf: did not stop in time, killed\n");
}

TEST_F(FaultsTest, RestartIsANewProcessThatIsReady) {
  EXPECT_THAT(act("restart", {"flock", "user"}), ExitedWith(0));
  EXPECT_EQ(read_file(dir() / "starts"), "start\nstart\n");
  EXPECT_EQ(answer(), "flock: x\n");
}

TEST_F(FaultsTest, KillLeavesNoProcessOfTheServiceAndIsNoFailureOfTheInstance) {
  EXPECT_EQ(act("kill", {"flock"}).out, "flock: ended by SIGKILL\n");
  EXPECT_THAT(process_states("flock"), IsEmpty());
  EXPECT_EQ(state("flock"), "exited");
  EXPECT_THAT(act("start", {"flock"}), ExitedWith(0));
  EXPECT_EQ(answer(), "flock: x\n");
}

TEST_F(FaultsTest, KillSendsTheSignalThatIsAskedFor) {
  EXPECT_EQ(act("kill", {"-s", "SIGTERM", "deaf"}).out, "deaf: sent SIGTERM\n");
  EXPECT_EQ(state("deaf"), "ready");
  EXPECT_THAT(act("kill", {"-s", "INT", "deaf"}), ExitedWith(0));
  EXPECT_TRUE(eventually([&] { return state("deaf") == "exited"; }));
  EXPECT_THAT(log(), HasSubstr("deaf: ended as was meant: killed by SIGINT"));
}

TEST_F(FaultsTest, AreEventsOfTheMergedLog) {
  act("pause", {"flock"});
  act("resume", {"flock"});
  act("restart", {"user"});
  act("kill", {"deaf"});
  const std::string all = log();
  EXPECT_THAT(all, HasSubstr("flock: paused by 'isoenv pause, pid "));
  EXPECT_THAT(all, HasSubstr("flock: resumed by 'isoenv resume, pid "));
  EXPECT_THAT(all, HasSubstr("user: restart by 'isoenv restart, pid "));
  EXPECT_THAT(all, HasSubstr("deaf: SIGKILL by 'isoenv kill, pid "));
}

TEST_F(FaultsTest, AreRefusedWholeWhenTheyCannotHappen) {
  const Outcome misspelt = act("pause", {"user", "flok"});
  EXPECT_THAT(misspelt, ExitedWith(2));
  EXPECT_THAT(misspelt.err, HasSubstr("did you mean 'flock'?"));
  ASSERT_THAT(act("stop", {"flock"}), ExitedWith(0));
  const Outcome stopped = act("pause", {"user", "flock"});
  EXPECT_THAT(stopped, ExitedWith(1));
  EXPECT_THAT(stopped.err, HasSubstr("cannot pause 'flock': it is not ready but stopped"));
  EXPECT_EQ(state("user"), "ready") << "nothing of it was done";
  EXPECT_THAT(act("pause", {}), ExitedWith(2));
  EXPECT_THAT(act("kill", {"-s", "SIGTREM", "flock"}).err, HasSubstr("did you mean 'SIGTERM'?"));
  EXPECT_THAT(act("kill", {"-s", "SIGSTOP", "flock"}), ExitedWith(2));
}

TEST_F(FaultsTest, UpMakesEverythingReadyAgain) {
  act("pause", {"flock"});
  act("stop", {"user"});
  act("kill", {"deaf"});
  ASSERT_THAT(up(spec_), ExitedWith(0));
  for (const char* service : {"flock", "user", "deaf"}) EXPECT_EQ(state(service), "ready");
  EXPECT_EQ(answer(), "flock: x\n");
}

TEST_F(FaultsTest, TellJsonToPrograms) {
  const Json report = Json::parse(act("pause", {"--json", "flock", "user"}).out);
  EXPECT_EQ(report.at("effects")[0].at("service"), "flock");
  EXPECT_EQ(report.at("effects")[1].at("what"), "paused");
  EXPECT_TRUE(report.at("failures").empty());
}

}  // namespace
}  // namespace isoenv::test
