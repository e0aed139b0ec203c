// `isoenv exec`: a command inside an instance that is up.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <memory>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// An instance with one service `web` on port 80 and a named but quiet one.
class ExecTest : public SystemTest {
 protected:
  void SetUp() override {
    spec_ = write_spec(R"("services": {
      "web": {"command": ["test_service", "tcp_echo", "*", "80", "web: "], "ports": {"http": 80}},
      "brief": {"command": ["test_service", "writes", "up\n", "then", "waits_for", "gate", "then",
                            "writes", "err:out of paper\n", "then", "exits", "7"],
                "ready": [{"log": "up"}], "allow_failure": true}})");
    gate_ = std::make_unique<Gate>(dir() / "gate");
    ASSERT_THAT(up(spec_), ExitedWith(0));
  }
  void TearDown() override {
    EXPECT_THAT(down(spec_), ExitedWith(0));
    SystemTest::TearDown();
  }
  Outcome inside(const Words& behaviour) const { return exec_in(spec_, behaviour); }
  Process start_inside(const Words& behaviour) const {
    Words words = {"exec", "-f", spec_, "--", "test_service"};
    words.insert(words.end(), behaviour.begin(), behaviour.end());
    return start_isoenv(words);
  }

  std::filesystem::path spec_;
  std::unique_ptr<Gate> gate_;
};

TEST_F(ExecTest, ReachesServicesByName) {
  EXPECT_EQ(
      inside({"tcp_ask", "4", "web", "80", "a", "then", "tcp_ask", "6", "web", "80", "b"}).out,
      "web: a\nweb: b\n");
}

TEST_F(ExecTest, FindsTheVariablesOfTheInstance) {
  const Outcome outcome = inside({"shows_environment"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_EQ(variable(outcome.out, "ISOENV_WEB_HOST"), "web");
  EXPECT_EQ(variable(outcome.out, "ISOENV_WEB_PORT"), "80");
  EXPECT_EQ(variable(outcome.out, "ISOENV_WEB_URL"), "http://web:80");
  EXPECT_EQ(variable(outcome.out, "ISOENV_INSTANCE").size(), 8U);
  EXPECT_EQ(variable(outcome.out, "SERVICE_NAME"), "(not set)");
}

TEST_F(ExecTest, KeepsTheCallersVariablesDirectoryAndUser) {
  options().env["COLOUR"] = "blue";
  options().directory = dir() / "home";
  const Outcome outcome = inside({"shows_environment"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_EQ(variable(outcome.out, "COLOUR"), "blue");
  EXPECT_EQ(value(outcome.out, "cwd"), dir() / "home");
  EXPECT_EQ(value(outcome.out, "uid"), std::to_string(::getuid()));
}

TEST_F(ExecTest, SeesOnlyItsOwnProcesses) {
  const Outcome outcome = inside({"shows_environment"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(values(outcome.out, "process"), Contains(value(outcome.out, "pid")));
  EXPECT_LE(values(outcome.out, "process").size(), 2U) << outcome.out;
}

TEST_F(ExecTest, HasExactlyThreeDescriptors) {
  const UniqueFd leak(::open("/dev/null", O_RDONLY));
  options().inherited_fds = {*leak};
  const Outcome outcome = inside({"shows_environment"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(values(outcome.out, "fd"), SizeIs(3));
}

TEST_F(ExecTest, HasTheLoopbackAndTheBridgeOfTheHub) {
  const Outcome outcome = inside({"shows_environment"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(values(outcome.out, "address"), Contains("lo 127.0.0.1"));
  EXPECT_THAT(values(outcome.out, "address"), Contains(HasSubstr(" 10.79.0.1")));
  EXPECT_THAT(values(outcome.out, "address"), Contains(HasSubstr(" fd69:736f:656e:7600::1")));
}

TEST_F(ExecTest, PassesExitCodesAndDeathsOn) {
  EXPECT_THAT(inside({"exits", "0"}), ExitedWith(0));
  EXPECT_THAT(inside({"exits", "3"}), ExitedWith(3));
  EXPECT_THAT(inside({"exits", "125"}), ExitedWith(125));
  EXPECT_THAT(inside({"crashes", "segv"}), ExitedWith(128 + SIGSEGV));
}

TEST_F(ExecTest, PassesSignalsOn) {
  for (const auto& [name, signal] :
       {std::pair{"SIGTERM", SIGTERM}, {"SIGINT", SIGINT}, {"SIGUSR1", SIGUSR1}}) {
    Process process =
        start_inside({"exits_on", name, "42", "then", "writes", "armed\\n", "then", "waits"});
    ASSERT_TRUE(process.wait_for_output("armed"));
    process.send_signal(signal);
    EXPECT_THAT(process.wait(), ExitedWith(42)) << name;
  }
}

TEST_F(ExecTest, LeavesNoProcessWhenItIsKilled) {
  const std::size_t before = processes().size();
  Process process = start_inside({"ignores", "SIGTERM", "then", "leaves_daemon", dir() / "daemon",
                                  "then", "writes", "armed\\n", "then", "waits"});
  ASSERT_TRUE(process.wait_for_output("armed"));
  process.send_signal(SIGKILL);
  EXPECT_EQ(process.wait().signal, SIGKILL);
  EXPECT_TRUE(eventually([&] { return processes().size() == before; }));
  EXPECT_EQ(inside({"tcp_ask", "any", host("web"), "80", "x"}).out, "web: x\n");
}

TEST_F(ExecTest, TakesItsDaemonsWithIt) {
  const std::size_t before = processes().size();
  EXPECT_THAT(inside({"leaves_daemon", dir() / "daemon"}), ExitedWith(0));
  EXPECT_TRUE(eventually([&] { return processes().size() == before; }));
}

TEST_F(ExecTest, CannotSignalServices) {
  EXPECT_THAT(inside({"signals_all", "SIGTERM", "then", "exits", "3"}), ExitedWith(3));
  EXPECT_EQ(inside({"tcp_ask", "any", host("web"), "80", "x"}).out, "web: x\n");
}

TEST_F(ExecTest, RunsManyAtOnce) {
  std::vector<Process> all;
  for (int i = 0; i < 16; ++i)
    all.push_back(start_inside({"tcp_ask", "any", host("web"), "80", std::to_string(i)}));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Outcome outcome = all[i].wait();
    EXPECT_THAT(outcome, ExitedWith(0));
    EXPECT_EQ(outcome.out, "web: " + std::to_string(i) + "\n");
  }
}

TEST_F(ExecTest, FailsWhenARequiredServiceHasDied) {
  ASSERT_TRUE(gate_->open());
  const auto exec_with_brief = [&] {
    return isoenv({"exec", "-f", spec_, "--service", "brief", "--", "test_service", "exits", "0"});
  };
  ASSERT_TRUE(eventually([&] { return !exec_with_brief().exited_with(0); }));
  const Outcome outcome = exec_with_brief();
  EXPECT_THAT(outcome, ExitedWith(125));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("  brief: "), HasSubstr("exit code 7")));
  EXPECT_THAT(isoenv({"exec", "-f", spec_, "--service", "web", "--", "test_service", "exits", "0"}),
              ExitedWith(0));
}

TEST_F(ExecTest, NamesAServiceThatThereIsNot) {
  const Outcome outcome = isoenv({"exec", "-f", spec_, "--service", "wep", "--", "true"});
  EXPECT_FALSE(outcome.exited_with(0));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("'wep'"), HasSubstr("'web'")));
}

TEST_F(ExecTest, SaysWhereItLookedForAProgramThatIsNotThere) {
  const Outcome outcome = isoenv({"exec", "-f", spec_, "--", "no_such_program"});
  EXPECT_THAT(outcome, ExitedWith(125));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("'no_such_program'"), HasSubstr("PATH")));
}

TEST_F(ExecTest, MayBeAppliedTwice) {
  const Outcome outcome = isoenv({"exec", "-f", spec_, "--", ISOENV_EXECUTABLE, "exec", "-f", spec_,
                                  "--", "test_service", "tcp_ask", "any", host("web"), "80", "x"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_EQ(outcome.out, "web: x\n");
}

TEST_F(ExecTest, FindsTheOnlyInstanceWithoutBeingToldTheSpec) {
  EXPECT_EQ(isoenv({"exec", "--", "test_service", "tcp_ask", "any", host("web"), "80", "x"}).out,
            "web: x\n");
}

class ExecOutsideTest : public SystemTest {
 protected:
  /// The advice depends on whether these tests themselves run under ctest.
  static auto what_to_do() {
    return AnyOf(HasSubstr("hint: start "), HasSubstr("hint: the test needs"));
  }
};

TEST_F(ExecOutsideTest, FailsWith125AndSaysWhatToDo) {
  const Outcome outcome = isoenv({"exec", "--", "test_service", "exits", "0"});
  EXPECT_THAT(outcome, ExitedWith(125));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("no instance is up"), what_to_do()));
}

TEST_F(ExecOutsideTest, FailsWith125ForASpecThatIsNotUp) {
  const auto spec = write_spec(R"("services": {"web": {"command": ["test_service", "waits"]}})");
  const Outcome outcome = exec_in(spec, {"exits", "0"});
  EXPECT_THAT(outcome, ExitedWith(125));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("lab.json' is up"), what_to_do()));
}

}  // namespace
}  // namespace isoenv::test
