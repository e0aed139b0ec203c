// The client library and isoenv::gtest, as the programs of tests/client use them.
#include <memory>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ClientTest : public SystemTest {
 protected:
  void SetUp() override {
    gate_ = std::make_unique<Gate>(dir() / "gate");
    options().env["GATE"] = gate_->text();
    options().env["ISOENV_EXECUTABLE"] = ISOENV_EXECUTABLE;
    spec_ = write_spec(R"("services": {
      "web": {"command": ["test_service", "tcp_echo", "*", "80", "web: "],
              "ports": {"http": 80, "stats": "8125/udp"}, "ready": [{"tcp": "http"}]},
      "speaks": {"command": ["test_service", "writes", "hello\n", "then", "waits_for", ")" +
                       gate_->text() + R"(", "then", "writes", "said \\x1b[31mtoo late\n", "then",
                       "waits"], "ready": [{"log": "hello"}]}})");
  }
  Outcome suite(const std::string& filter, const Words& words = {}) const {
    Words all = {CLIENT_SUITE, "--gtest_filter=" + filter};
    all.insert(all.end(), words.begin(), words.end());
    return run(all, const_cast<ClientTest*>(this)->options());
  }
  Outcome suite_in_exec(const std::string& filter) const {
    return isoenv({"exec", "-f", spec_, "--", CLIENT_SUITE, "--gtest_filter=" + filter});
  }
  std::string merged_log() const { return read_file(artefact_dir() / "latest" / "isoenv.log"); }

  std::filesystem::path spec_;
  std::unique_ptr<Gate> gate_;
};

TEST_F(ClientTest, WorksInACommandOfExec) {
  ASSERT_THAT(up(spec_), ExitedWith(0));
  const Outcome outcome = suite_in_exec("InsideTest.*");
  EXPECT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(outcome.err, Not(HasSubstr("joined")));
  EXPECT_THAT(down(spec_), ExitedWith(0));
}

TEST_F(ClientTest, WorksInACommandOfRun) {
  const Outcome outcome =
      isoenv({"run", "-f", spec_, "--", CLIENT_SUITE, "--gtest_filter=InsideTest.*"});
  EXPECT_THAT(outcome, ExitedWith(0));
}

TEST_F(ClientTest, JoinsTheInstanceWhenItIsStartedByItself) {
  ASSERT_THAT(up(spec_), ExitedWith(0));
  const Outcome outcome = suite("InsideTest.*");
  EXPECT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(outcome.err,
              HasSubstr("isoenv: joined the instance of 'lab' from '" + spec_.string() + "'"));
  EXPECT_THAT(down(spec_), ExitedWith(0));
}

TEST_F(ClientTest, StaysInItsDirectoryWhenItJoins) {
  std::filesystem::create_directory(dir() / "work");
  options().directory = dir() / "work";
  ASSERT_THAT(up(spec_), ExitedWith(0));
  EXPECT_THAT(suite("InsideTest.Reaches*", {"--gtest_output=json:here.json"}), ExitedWith(0));
  EXPECT_TRUE(std::filesystem::exists(dir() / "work" / "here.json"));
  EXPECT_THAT(down(spec_), ExitedWith(0));
}

TEST_F(ClientTest, FailsWithAHintWhenNothingIsUp) {
  const Outcome outcome = suite("InsideTest.*");
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("no instance is up"), HasSubstr("hint: ")));
  EXPECT_THAT(outcome.out, Not(HasSubstr("RUN")));
}

TEST_F(ClientTest, ListsItsTestsWithoutAnInstance) {
  const Outcome outcome = suite("*", {"--gtest_list_tests"});
  EXPECT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(outcome.out, HasSubstr("InsideTest."));
}

TEST_F(ClientTest, RefusesToJoinWithASecondThread) {
  options().env["CLIENT_SUITE_THREAD"] = "1";
  ASSERT_THAT(up(spec_), ExitedWith(0));
  const Outcome outcome = suite("InsideTest.*");
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("this process has 2 threads"), HasSubstr("isoenv exec")));
  EXPECT_THAT(suite_in_exec("InsideTest.*"), ExitedWith(0));
  EXPECT_THAT(down(spec_), ExitedWith(0));
}

TEST_F(ClientTest, RunsWithoutAnEnvironmentInARunWithoutASpec) {
  const Outcome outcome = isoenv({"run", "--", CLIENT_SUITE, "--gtest_filter=AloneTest.*"});
  EXPECT_THAT(outcome, ExitedWith(0));
}

TEST_F(ClientTest, WaitsForALineThatComesLater) {
  ASSERT_THAT(up(spec_), ExitedWith(0));
  EXPECT_THAT(suite("GateTest.*"), ExitedWith(0));
  EXPECT_THAT(down(spec_), ExitedWith(0));
}

TEST_F(ClientTest, ShowsWhatServicesWroteDuringAFailedTest) {
  ASSERT_THAT(up(spec_), ExitedWith(0));
  const Outcome outcome = suite_in_exec("FailsTest.*:InsideTest.Tells*");
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.out, HasSubstr("isoenv: 'speaks' wrote 1 line during this test:\n"
                                     "  | said \\x1b[31mtoo late\n  whole log: "));
  EXPECT_THAT(outcome.out, Not(HasSubstr("hello")));
  EXPECT_THAT(outcome.out, Not(HasSubstr("'web' wrote")));
  EXPECT_THAT(down(spec_), ExitedWith(0));
}

TEST_F(ClientTest, ShowsNoLogsOfATestThatPassed) {
  ASSERT_THAT(up(spec_), ExitedWith(0));
  const Outcome outcome = suite_in_exec("GateTest.*");
  EXPECT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(outcome.out, Not(HasSubstr("isoenv:")));
  EXPECT_THAT(down(spec_), ExitedWith(0));
}

TEST_F(ClientTest, MarksWhereTestsBeginAndEnd) {
  ASSERT_THAT(up(spec_), ExitedWith(0));
  EXPECT_THAT(suite("FailsTest.*:InsideTest.Tells*"), ExitedWith(1));
  ASSERT_THAT(down(spec_), ExitedWith(0));
  const std::string log = merged_log();
  std::size_t place = 0;
  for (const char* text : {"test 'InsideTest.TellsStateAndProcess' begins",
                           "test 'InsideTest.TellsStateAndProcess' passed",
                           "test 'InsideTest.TellsStateAndProcess' ends",
                           "test 'FailsTest.WhileAServiceSpeaks' begins", "too late",
                           "test 'FailsTest.WhileAServiceSpeaks' failed"}) {
    place = log.find(text, place);
    ASSERT_NE(place, std::string::npos) << text << " is missing, or comes too early, in\n" << log;
  }
}

/// `web` echoes; `marked` is ready as long as its marker is there, and exits on SIGINT.
class ClientFaultsTest : public ClientTest {
 protected:
  void SetUp() override {
    ClientTest::SetUp();
    write_file("marker", "");
    options().env["MARKER"] = dir() / "marker";
    faulty_ = write_spec(R"("services": {
      "web": {"command": ["test_service", "tcp_echo", "*", "80", "web: "], "ports": {"http": 80}},
      "marked": {"command": ["test_service", "exits_on", "SIGINT", "42", "then", "waits"],
                 "ready": [{"file": ")" +
                             (dir() / "marker").string() + R"("}], "ready_timeout": "300ms", "expect_exit": [42]}})",
                         "faulty.json");
    ASSERT_THAT(up(faulty_), ExitedWith(0));
  }
  void TearDown() override {
    EXPECT_THAT(down(faulty_), ExitedWith(0));
    ClientTest::TearDown();
  }
  Outcome in_exec(const std::string& filter) const {
    return isoenv({"exec", "-f", faulty_, "--", CLIENT_SUITE, "--gtest_filter=" + filter});
  }

  std::filesystem::path faulty_;
};

TEST_F(ClientFaultsTest, AreMadeByTestsInExec) {
  EXPECT_THAT(in_exec("FaultsTest.*"), ExitedWith(0));
}

TEST_F(ClientFaultsTest, AreMadeByTestsThatWereStartedByThemselves) {
  EXPECT_THAT(suite("FaultsTest.*"), ExitedWith(0));
}

TEST_F(ClientFaultsTest, AreUndoneAtTheEndOfEachTest) {
  EXPECT_THAT(in_exec("UndoneTest.*"), ExitedWith(0));
}

TEST_F(ClientFaultsTest, AreUndoneAfterTheOnlyTestOfACommand) {
  EXPECT_THAT(in_exec("UndoneTest.A*"), ExitedWith(0));
  EXPECT_THAT(suite("UndoneTest.B*"), ExitedWith(0));
  EXPECT_THAT(in_exec("UndoneTest.C*"), ExitedWith(0));
  EXPECT_THAT(suite("UndoneTest.D*"), ExitedWith(0));
}

TEST_F(ClientFaultsTest, ThatCannotBeUndoneFailTheTest) {
  const Outcome outcome = suite("LastingTest.*");
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("isoenv: cannot be undone: marked: not ready"),
                                 HasSubstr("[  FAILED  ] LastingTest.KillsWhatCannotComeBack")));
}

TEST_F(ClientFaultsTest, ThatCannotBeUndoneFailTheOnlyTestOfACommand) {
  const Outcome outcome = in_exec("LastingTest.*");
  EXPECT_THAT(outcome, Not(ExitedWith(0)));
  EXPECT_THAT(outcome.err, HasSubstr("marked"));
}

/// `frail` ends by itself when the gate opens.
class ClientVerdictTest : public ClientTest {
 protected:
  void SetUp() override {
    ClientTest::SetUp();
    spec_ = write_spec(R"("services": {"web": {"command": ["test_service", "waits"]},
      "frail": {"command": ["test_service", "waits_for", ")" +
                       gate_->text() + R"(", "then", "exits", "7"]}})");
    ASSERT_THAT(up(spec_), ExitedWith(0));
  }
  void TearDown() override {
    EXPECT_TRUE(down(spec_).signal == 0);
    ClientTest::TearDown();
  }
};

TEST_F(ClientVerdictTest, FailsTheCaseDuringWhichAServiceFailed) {
  const Outcome outcome = suite("VerdictTest.*");
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("isoenv: service 'frail' at "), HasSubstr("exit code 7"),
                                 HasSubstr("[       OK ] VerdictTest.HoldsAfterwards"),
                                 HasSubstr("1 FAILED TEST\n")));
}

TEST_F(ClientVerdictTest, MindsTheServicesThatTheCommandUses) {
  const Outcome outcome = isoenv({"exec", "-f", spec_, "--service", "web", "--", CLIENT_SUITE,
                                  "--gtest_filter=VerdictTest.*"});
  EXPECT_THAT(outcome, ExitedWith(0));
}

TEST_F(ClientTest, WorksUnderADebugger) {
  if (std::string(ISOENV_GDB) == "") GTEST_SKIP() << "no gdb was found when this was configured";
  options().env["ASAN_OPTIONS"] += ":detect_leaks=0";  // which works under no debugger
  ASSERT_THAT(up(spec_), ExitedWith(0));
  const Outcome outcome =
      run({ISOENV_GDB, "-batch", "-nx", "-ex", "set debuginfod enabled off", "-ex",
           "break tcp.h:ask", "-ex", "run", "-ex", "backtrace 2", "-ex", "continue", "--args",
           CLIENT_SUITE, "--gtest_filter=InsideTest.Reaches*"},
          options());
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("Breakpoint 1, ask ("), HasSubstr("TestBody"),
                                 HasSubstr("[  PASSED  ] 1 test.")))
      << outcome.err;
  EXPECT_THAT(down(spec_), ExitedWith(0));
}

/// Every case of client_up_suite that an instance of the suite's own concerns is a process here.
class ClientUpTest : public SystemTest {
 protected:
  void SetUp() override {
    options().env["ISOENV_EXECUTABLE"] = ISOENV_EXECUTABLE;
    options().env["XDG_STATE_HOME"] = artefact_dir();
    spec_ = write_spec(R"("services": {
      "web": {"command": ["test_service", "writes", "hello\n", "then", "tcp_echo", "*", "{{self.port.http}}", "web: "],
              "ports": {"http": "auto"}, "ready": [{"log": "hello"}, {"tcp": "http"}]},
      "idle": {"command": ["test_service", "waits"]}})");
    options().env["SPEC"] = spec_;
  }
  Outcome suite(const std::string& filter) {
    return run({CLIENT_UP_SUITE, "--gtest_filter=" + filter}, options());
  }

  std::filesystem::path spec_;
};

TEST_F(ClientUpTest, BringsUpEnvironmentsOfItsOwn) {
  EXPECT_THAT(suite("UpTest.BringsUp*"), ExitedWith(0));
}

TEST_F(ClientUpTest, TakesItDownWithTheObject) {
  EXPECT_THAT(suite("UpTest.TakesItDown*"), ExitedWith(0));
}

TEST_F(ClientUpTest, GoesIntoIt) { EXPECT_THAT(suite("UpTest.GoesIntoIt"), ExitedWith(0)); }

TEST_F(ClientUpTest, StartsWhatIsNamed) { EXPECT_THAT(suite("UpTest.Starts*"), ExitedWith(0)); }

TEST_F(ClientUpTest, TellsWhyAServiceDidNotComeUp) {
  options().env["SPEC"] =
      write_spec(R"("services": {"broken": {"command": ["test_service", "writes",
      "err:out of paper\n", "then", "exits", "7"], "ready": [{"log": "never"}]}})",
                 "broken.json");
  EXPECT_THAT(suite("UpTest.TellsWhy*:UpTest.TellsThat*"), ExitedWith(0));
}

TEST_F(ClientUpTest, TellsThatTheMachineRefuses) {
  options().env["ISOENV_ISOLATION"] = "netns";
  const Outcome outcome = run(
      {ISOENV_DENY, "--docker", "--", CLIENT_UP_SUITE, "--gtest_filter=RefusedTest.*"}, options());
  EXPECT_THAT(outcome, ExitedWith(0));
}

TEST_F(ClientUpTest, EndsWithTheProcess) {
  EXPECT_EQ(suite("KilledTest.*").signal, SIGKILL);
  EXPECT_TRUE(eventually([this] { return processes().empty(); }));
}

TEST_F(ClientUpTest, FindsTheOnlyInstanceThatIsUp) {
  ASSERT_THAT(up(spec_), ExitedWith(0));
  EXPECT_THAT(suite("FoundTest.*"), ExitedWith(0));
  EXPECT_THAT(down(spec_), ExitedWith(0));
}

TEST_F(ClientUpTest, FindsTheInstanceThatTheVariableNames) {
  const auto other =
      write_spec(R"("services": {"idle": {"command": ["test_service", "waits"]}})", "other.json");
  ASSERT_THAT(up(spec_), ExitedWith(0));
  ASSERT_THAT(up(other), ExitedWith(0));
  const Outcome outcome = suite("FoundTest.IsTheOnly*");
  EXPECT_THAT(outcome, Not(ExitedWith(0)));
  EXPECT_THAT(outcome.out, HasSubstr("2 instances are up"));
  EXPECT_THAT(suite("FoundTest.IsTheOneThat*"), ExitedWith(0));
  EXPECT_THAT(down(other), ExitedWith(0));
  EXPECT_THAT(down(spec_), ExitedWith(0));
}

TEST_F(ClientUpTest, IsToldWhyThereIsNone) {
  EXPECT_THAT(suite("NobodyTest.IsToldHow*"), ExitedWith(0));
  EXPECT_THAT(suite("NobodyTest.IsToldThatAnInstance*"), ExitedWith(0));
  EXPECT_THAT(suite("NobodyTest.IsToldThatThereIsNo*"), ExitedWith(0));
}

}  // namespace
}  // namespace isoenv::test
