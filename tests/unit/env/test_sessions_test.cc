#include "env/test_sessions.h"

#include "environment_case.h"

namespace isoenv::test {
namespace {

using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// db ← web, both up.
class TestSessionsTest : public EnvironmentCase {
 protected:
  void SetUp() override {
    add_service("db");
    add_service("web", {{"db"}});
    EXPECT_THAT(texts(up({})), IsEmpty());
    backend().forget_calls();
    sessions_.emplace(executor(), plan(), environment(), backend(), clock(), incidents());
  }
  void TearDown() override {
    sessions_->silence_all();
    settle();
    EnvironmentCase::TearDown();
  }

  std::uint64_t begin_test(TestSession test) {
    const std::uint64_t number = sessions_->begin(std::move(test));
    settle();
    return number;
  }
  std::uint64_t begin(const std::vector<std::string>& faults) {
    return begin_test(TestSession{"order.survives", {}, parse_faults(faults)});
  }
  /// Of a test that uses these services.
  std::uint64_t begin_tolerant(Tolerance tolerance, std::vector<std::size_t> services = {}) {
    return begin_test(TestSession{"order.crashes", std::move(services), {}, 0, std::move(tolerance)});
  }
  void die(const std::string& service, ExitStatus status) {
    backend().die(service, status);
    settle();
  }
  void pass(milliseconds time) {
    clock().advance(time);
    settle();
  }
  Call<SessionReport> ask_end(std::uint64_t number,
                              TestSessions::Left left = TestSessions::Left::kUndo) {
    const Call<SessionReport> call = spawn(executor(), sessions_->end(number, left));
    settle();
    return call;
  }
  SessionReport end(std::uint64_t number, TestSessions::Left left = TestSessions::Left::kUndo) {
    const Call<SessionReport> call = ask_end(number, left);
    EXPECT_TRUE(call->has_value()) << "end() has not returned";
    return call->value_or(SessionReport{});
  }

  std::optional<TestSessions> sessions_;
};

TEST_F(TestSessionsTest, MakeAFaultAfterItsDelayAndForItsDuration) {
  const std::uint64_t number = begin({"pause:db@200ms+1s"});
  pass(milliseconds(199));
  EXPECT_THAT(backend().calls(), IsEmpty());
  pass(milliseconds(1));
  EXPECT_TRUE(backend().paused("db"));
  EXPECT_EQ(failure("db"), "paused by test 'order.survives', pause:db@200ms+1s");
  pass(milliseconds(999));
  EXPECT_TRUE(backend().paused("db"));
  pass(milliseconds(1));
  EXPECT_FALSE(backend().paused("db"));
  const SessionReport report = end(number);
  EXPECT_THAT(report.failed, IsEmpty());
  EXPECT_THAT(report.warnings, IsEmpty());
}

TEST_F(TestSessionsTest, StartAgainWhatAFaultHasStoppedForAWhile) {
  begin({"kill:db@0ms+1s", "stop:web@0ms+2s"});
  EXPECT_THAT(backend().running(), IsEmpty());
  pass(milliseconds(1000));
  EXPECT_THAT(backend().running(), ElementsAre("db"));
  pass(milliseconds(1000));
  EXPECT_THAT(backend().running(), ElementsAre("db", "web"));
}

TEST_F(TestSessionsTest, UndoAtTheirEndWhatHasNoDurationOrIsNotOver) {
  const std::uint64_t number = begin({"pause:db@0ms", "stop:web@0ms+1m"});
  EXPECT_TRUE(backend().paused("db"));
  const SessionReport report = end(number);
  EXPECT_THAT(report.failed, IsEmpty());
  EXPECT_FALSE(backend().paused("db"));
  EXPECT_EQ(state("web"), ServiceState::kReady);
  pass(std::chrono::minutes(2));
  EXPECT_EQ(backend().count("start web"), 1) << "the fault ended with its test";
}

TEST_F(TestSessionsTest, UndoNothingWhenTheInstanceEndsToo) {
  const std::uint64_t number = begin({"pause:db@0ms"});
  end(number, TestSessions::Left::kKeep);
  EXPECT_TRUE(backend().paused("db"));
}

TEST_F(TestSessionsTest, TellOfAFaultWhoseTimeNeverCame) {
  const SessionReport report = end(begin({"pause:db@1s"}));
  EXPECT_THAT(report.warnings,
              ElementsAre("the fault 'pause:db@1s' never came: the test ended before"));
  EXPECT_THAT(backend().calls(), IsEmpty());
}

TEST_F(TestSessionsTest, TellOfAFaultThatCannotBeMade) {
  act(FaultKind::kStop, {"db"});
  const std::uint64_t number = begin({"pause:db@0ms"});
  EXPECT_THAT(end(number).failed,
              ElementsAre(HasSubstr("the fault 'pause:db@0ms' failed: cannot pause 'db'")));
}

TEST_F(TestSessionsTest, TellOfAServiceThatIsNotReadyAgain) {
  const std::uint64_t number = begin({"kill:db@0ms"});
  backend().script("db").start = NotStarted{"no such program"};
  const SessionReport report = end(number);
  ASSERT_EQ(report.failures.size(), 1U);
  EXPECT_EQ(report.failures[0].what, "no such program");
}

TEST_F(TestSessionsTest, WaitForTheEndOfAServiceThatOthersHaveSeen) {
  const std::uint64_t number = begin({});
  backend().doom("db");
  const Call<SessionReport> ending = ask_end(number);
  EXPECT_FALSE(ending->has_value());
  die("db", {0, SIGSEGV, false});
  ASSERT_TRUE(ending->has_value());
  EXPECT_EQ((*ending)->incidents.size(), 1U);
}

TEST_F(TestSessionsTest, DoNotWaitForEverForAServiceThatHangsAtItsEnd) {
  const std::uint64_t number = begin({});
  backend().doom("db");
  const Call<SessionReport> ending = ask_end(number);
  pass(std::chrono::seconds(3));
  EXPECT_TRUE(ending->has_value());
  die("db", {0, SIGSEGV, false});
}

TEST_F(TestSessionsTest, FailForNoEndThatTheirTestMeansAndStartItAgain) {
  const std::uint64_t number = begin_tolerant(parse_tolerance({}, {"db:3"}));
  die("db", {3, 0, false});
  const SessionReport report = end(number);
  EXPECT_THAT(report.incidents, IsEmpty());
  EXPECT_THAT(report.failures, IsEmpty());
  EXPECT_EQ(state("db"), ServiceState::kReady);
  EXPECT_THAT(down({"db"}).incidents, IsEmpty()) << "the test knows of it";
}

TEST_F(TestSessionsTest, FailForAnotherEndThanTheirTestMeans) {
  const std::uint64_t number = begin_tolerant(parse_tolerance({}, {"db:4", "db:SIGKILL", "web:3"}));
  die("db", {3, 0, false});
  ASSERT_EQ(end(number).incidents.size(), 1U);
  EXPECT_EQ(state("db"), ServiceState::kExited);
}

TEST_F(TestSessionsTest, FailForNothingOfAServiceThatMayFail) {
  const std::uint64_t number = begin_tolerant(parse_tolerance({"db"}, {}));
  Incident reported;
  reported.what = "reported AddressSanitizer: heap-use-after-free";
  incidents().add(0, reported);
  die("db", {0, SIGSEGV, false});
  EXPECT_THAT(end(number).incidents, IsEmpty());
  EXPECT_EQ(state("db"), ServiceState::kReady);
}

TEST_F(TestSessionsTest, MeanWhatTheTestAroundThemDoesAndNoOther) {
  const std::uint64_t around = begin_tolerant(parse_tolerance({}, {"db:3"}));
  const std::uint64_t within = begin_test(TestSession{"case", {}, {}, around});
  const std::uint64_t other = begin({});
  die("db", {3, 0, false});
  EXPECT_THAT(end(within).incidents, IsEmpty());
  EXPECT_EQ(end(other).incidents.size(), 1U);
  EXPECT_THAT(end(around).incidents, IsEmpty());
}

TEST_F(TestSessionsTest, RefuseToMeanServicesThatTheirTestDoesNotUse) {
  try {
    begin_tolerant(parse_tolerance({"web", "wbe"}, {"bd:3"}), {0});
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("does not use the service 'web'"));
    EXPECT_THAT(error.what(), HasSubstr("there is no service 'wbe'"));
    EXPECT_THAT(error.what(), HasSubstr("did you mean 'db'?"));
  }
}

TEST_F(TestSessionsTest, WaitAtTheirEndForAFaultThatIsUnderWay) {
  backend().hold("db", Step::kStop);
  const std::uint64_t number = begin({"stop:db@0ms"});
  const Call<SessionReport> call = ask_end(number);
  EXPECT_FALSE(call->has_value());
  backend().release("db", Step::kStop);
  settle();
  EXPECT_TRUE(call->has_value());
  EXPECT_EQ(state("db"), ServiceState::kReady);
}

TEST_F(TestSessionsTest, MakeNoMoreFaultsWhenTheInstanceEnds) {
  begin({"pause:db@1s"});
  sessions_->silence_all();
  pass(milliseconds(2000));
  EXPECT_THAT(backend().calls(), IsEmpty());
}

TEST_F(TestSessionsTest, RefuseEveryFaultOfAnUnknownServiceAtOnce) {
  try {
    begin({"pause:bd@1s", "kill:wbe@1s"});
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("did you mean 'db'?"));
    EXPECT_THAT(error.what(), HasSubstr("did you mean 'web'?"));
  }
}

TEST_F(TestSessionsTest, AreNamedInEveryEvent) {
  end(begin({"pause:db@0ms"}));
  EXPECT_THAT(backend().events(), Contains("test 'order.survives' begins"));
  EXPECT_THAT(backend().events(), Contains("db: paused by test 'order.survives', pause:db@0ms"));
  EXPECT_THAT(backend().events(), Contains("test 'order.survives' ends"));
}

TEST_F(TestSessionsTest, HaveNoAuthorWhenTheyHaveEnded) {
  const std::uint64_t number = begin({});
  EXPECT_EQ(sessions_->author(number), "test 'order.survives'");
  end(number);
  EXPECT_THROW(sessions_->author(number), Error);
  EXPECT_THROW(sessions_->author(0), Error);
}

TEST_F(TestSessionsTest, TellWhatTheirServicesDidWhileTheyRan) {
  backend().die("web", {1, 0, false});
  settle();
  EXPECT_THAT(texts(up({})), IsEmpty());
  const std::uint64_t number = begin({});
  backend().die("web", {2, 0, false});
  settle();
  const SessionReport report = end(number);
  ASSERT_EQ(report.incidents.size(), 1U);
  EXPECT_THAT(report.incidents[0].what, HasSubstr("exit code 2"));
  EXPECT_EQ(backend().catch_ups(), 1) << "what is on its way counts";
}

TEST_F(TestSessionsTest, TellOnlyOfTheServicesThatTheyUse) {
  const std::uint64_t of_web = sessions_->begin({"web", {1}, {}});
  const std::uint64_t of_db = sessions_->begin({"db", {0}, {}});
  backend().die("web", {2, 0, false});
  settle();
  EXPECT_THAT(end(of_db).incidents, IsEmpty());
  EXPECT_EQ(end(of_web).incidents.size(), 1U);
  const std::uint64_t again = sessions_->begin({"web", {1}, {}});
  backend().die("db", {2, 0, false});
  settle();
  EXPECT_EQ(end(again).incidents.size(), 1U) << "web needs it";
}

TEST_F(TestSessionsTest, UseTheServicesOfTheSessionAroundThem) {
  const std::uint64_t around = sessions_->begin({"command", {0}, {}});
  const std::uint64_t within = sessions_->begin({"case", {}, {}, around});
  const std::uint64_t alone = sessions_->begin({"case", {}, {}});
  backend().die("web", {2, 0, false});
  settle();
  EXPECT_THAT(end(within).incidents, IsEmpty());
  EXPECT_EQ(end(alone).incidents.size(), 1U);
  EXPECT_THAT(end(around).incidents, IsEmpty());
}

TEST(SessionReportTest, SurvivesTheWay) {
  SessionReport report{"t", {{"web", "gone", {}, {}, "/log"}}, {"f"}, {"w"}};
  report.incidents.push_back({"web", "died", "12:00", {"line"}, "/log", std::nullopt});
  const SessionReport back = session_report_from_json(to_json(report));
  EXPECT_EQ(back.test, "t");
  ASSERT_EQ(back.failures.size(), 1U);
  EXPECT_EQ(back.failures[0].what, "gone");
  EXPECT_THAT(back.failed, ElementsAre("f"));
  EXPECT_THAT(back.warnings, ElementsAre("w"));
  ASSERT_EQ(back.incidents.size(), 1U);
  EXPECT_EQ(back.incidents[0].what, "died");
  EXPECT_EQ(incidents_text(back.incidents),
            "\nservice 'web' at 12:00: died\n  | line\n  its whole log: /log\n");
}

}  // namespace
}  // namespace isoenv::test
