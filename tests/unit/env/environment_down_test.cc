// The way down: its order, what it reports, and what it meets on its way.
#include "environment_case.h"

namespace isoenv::test {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;
using How = ServiceStop::How;

class EnvironmentDownTest : public EnvironmentCase {};

TEST_F(EnvironmentDownTest, TakesDependentsFirst) {
  add_service("db");
  add_service("user", {{"db"}});
  add_service("web", {{"user"}});
  up({});
  backend().forget_calls();
  EXPECT_THAT(names(down({"db"})), ElementsAre("web", "user", "db"));
  EXPECT_THAT(backend().calls(), ElementsAre("stop web", "stopped web", "stop user", "stopped user",
                                             "stop db", "stopped db"));
  for (const char* service : {"db", "user", "web"}) EXPECT_EQ(state(service), ServiceState::kDown);
}

TEST_F(EnvironmentDownTest, TakesDependentsFirstAcrossOneThatIsNotUp) {
  add_service("db");
  add_task("migrate", {{"db"}});
  add_service("web", {{"migrate", Need::kCompleted}});
  up({});
  backend().forget_calls();
  backend().hold("web", Step::kStop);
  begin_down({"db"});
  EXPECT_THAT(backend().calls(), ElementsAre("stop web"));
}

TEST_F(EnvironmentDownTest, StopsInParallelWhereTheGraphAllows) {
  add_service("db");
  add_service("web", {{"db"}});
  add_service("worker", {{"db"}});
  up({});
  for (const char* service : {"db", "web", "worker"}) backend().hold(service, Step::kStop);
  backend().forget_calls();
  const Call<DownReport> call = begin_down({"db"});
  EXPECT_THAT(backend().calls(), UnorderedElementsAre("stop web", "stop worker"));
  backend().release("web", Step::kStop);
  settle();
  EXPECT_THAT(backend().calls(), Not(Contains("stop db")));
  backend().release("worker", Step::kStop);
  settle();
  EXPECT_THAT(backend().calls(), Contains("stop db"));
  EXPECT_EQ(state("db"), ServiceState::kStopping);
  EXPECT_FALSE(call->has_value());
  backend().release("db", Step::kStop);
  settle();
  EXPECT_TRUE(call->has_value());
}

TEST_F(EnvironmentDownTest, LeavesWhatTheServiceNeedsAndWhatDoesNotNeedIt) {
  add_service("db");
  add_service("web", {{"db"}});
  add_service("other");
  up({});
  EXPECT_THAT(names(down({"web"})), ElementsAre("web"));
  EXPECT_THAT(backend().running(), ElementsAre("db", "other"));
}

TEST_F(EnvironmentDownTest, TakesEverythingDown) {
  add_service("db");
  add_service("web", {{"db"}});
  add_service("other");
  up({});
  const Call<DownReport> call = ask_down_all();
  settle();
  ASSERT_TRUE(call->has_value());
  EXPECT_THAT(names(**call), UnorderedElementsAre("web", "db", "other"));
  EXPECT_TRUE(environment().idle());
}

TEST_F(EnvironmentDownTest, DoesNothingAboutWhatIsNotUp) {
  add_service("db");
  add_service("web", {{"db"}});
  EXPECT_THAT(names(down({"db"})), IsEmpty());
  EXPECT_THAT(backend().calls(), IsEmpty());
  EXPECT_THAT(backend().events(), IsEmpty());
  EXPECT_THAT(names(down({})), IsEmpty());
}

TEST_F(EnvironmentDownTest, RunsATaskAnewAtTheNextUp) {
  add_task("migrate");
  up({});
  EXPECT_THAT(names(down({"migrate"})), IsEmpty());
  EXPECT_EQ(state("migrate"), ServiceState::kDown);
  up({});
  EXPECT_EQ(backend().count("start migrate"), 2);
}

TEST_F(EnvironmentDownTest, ForgetsWhoWantedTheService) {
  add_service("db");
  add_service("web", {{"db"}});
  up({"db"});
  down({"db"});
  backend().script("web").start = NotStarted{"no"};
  up({"web"});
  EXPECT_THAT(backend().running(), IsEmpty()) << "the failed call alone wanted it";
}

TEST_F(EnvironmentDownTest, ReportsHowEachServiceEnded) {
  add_service("db");
  add_service("web", {{"db"}});
  up({});
  backend().script("db").stopped = How::kKilled;
  backend().script("db").stop_status = "killed by SIGKILL";
  const DownReport report = down({"db"});
  ASSERT_EQ(report.stops.size(), 2U);
  EXPECT_EQ(report.stops[0].how, How::kStopped);
  EXPECT_EQ(report.stops[0].status, "exit code 0");
  EXPECT_EQ(report.stops[1].how, How::kKilled);
  EXPECT_EQ(report.stops[1].status, "killed by SIGKILL");
  EXPECT_THAT(backend().events(), Contains("web: stopped, exit code 0"));
  EXPECT_THAT(backend().events(), Contains("db: did not stop in time, killed"));
}

TEST_F(EnvironmentDownTest, LeavesFailedWhatHadFailedBefore) {
  add_service("db");
  up({});
  backend().die("db", {3, 0, false});
  settle();
  down({});
  EXPECT_EQ(state("db"), ServiceState::kExited);
}

TEST_F(EnvironmentDownTest, RemembersThatAServiceEndedByItself) {
  add_service("db");
  up({});
  EXPECT_FALSE(environment().had_failures());
  backend().die("db", {3, 0, false});
  settle();
  down({});
  EXPECT_TRUE(environment().had_failures());
}

TEST_F(EnvironmentDownTest, RemembersThatAServiceHadToBeKilled) {
  add_service("db");
  up({});
  backend().script("db").stopped = How::kKilled;
  down({"db"});
  EXPECT_TRUE(environment().had_failures());
}

TEST_F(EnvironmentDownTest, RemembersThatAServiceWasNotReady) {
  add_service("db");
  backend().script("db").readiness = ExitedBeforeReady{{3, 0, false}, {}};
  up({});
  EXPECT_TRUE(environment().had_failures());
  backend().script("db").readiness = Ready{};
  up({});
  down({});
  EXPECT_TRUE(environment().had_failures());
}

TEST_F(EnvironmentDownTest, GoesOnPastProblemsAndReportsThemAll) {
  add_service("db");
  add_service("web", {{"db"}});
  up({});
  backend().script("web").stop_problems = {"cannot stop 'web' cleanly: EIO"};
  backend().script("db").stop_problems = {"cannot stop 'db' cleanly: EIO"};
  const DownReport report = down({"db"});
  EXPECT_THAT(report.problems,
              ElementsAre("cannot stop 'web' cleanly: EIO", "cannot stop 'db' cleanly: EIO"));
  EXPECT_THAT(backend().running(), IsEmpty());
}

TEST_F(EnvironmentDownTest, ReportsAServiceThatHasEndedInTheSameMoment) {
  add_service("db");
  up({});
  const Call<DownReport> call = ask_down({"db"});
  while (backend().count("stop db") == 0) ASSERT_TRUE(take_one_step());
  backend().die("db", {3, 0, false});
  settle();
  ASSERT_TRUE(call->has_value());
  EXPECT_EQ(state("db"), ServiceState::kDown);
  EXPECT_THAT(backend().events(), Not(Contains(HasSubstr("ended by itself"))));
}

TEST_F(EnvironmentDownTest, DoesNotCallAServiceStoppedThatHadEnded) {
  add_service("db");
  up({});
  const Call<DownReport> call = ask_down({"db"});
  backend().die("db", {3, 0, false});
  settle();
  ASSERT_TRUE(call->has_value());
  EXPECT_THAT(names(**call), IsEmpty());
  EXPECT_THAT(backend().events(), Not(Contains(HasSubstr("stopped"))));
}

TEST_F(EnvironmentDownTest, StopsAServiceOnceForAllCallers) {
  add_service("db");
  add_service("web", {{"db"}});
  up({});
  backend().hold("db", Step::kStop);
  std::vector<Call<DownReport>> calls;
  for (int caller = 0; caller < 8; ++caller) calls.push_back(ask_down({"db"}));
  settle();
  for (int caller = 8; caller < 16; ++caller) calls.push_back(begin_down({"db"}));
  for (const Call<DownReport>& call : calls) EXPECT_FALSE(call->has_value());
  backend().release("db", Step::kStop);
  settle();
  for (const Call<DownReport>& call : calls) EXPECT_TRUE(call->has_value());
  EXPECT_EQ(backend().count("stop db"), 1);
  EXPECT_EQ(backend().count("stop web"), 1);
}

TEST_F(EnvironmentDownTest, KeepsThePlaceOfWhatStartsAgainBeforeTheRestIsDown) {
  add_service("slow");
  add_service("quick");
  add_service("bystander");
  up({});
  backend().hold("slow", Step::kStop);
  const Call<DownReport> call = begin_down({"slow", "quick"});
  EXPECT_EQ(state("quick"), ServiceState::kDown);
  EXPECT_THAT(texts(up({"quick"})), IsEmpty());
  backend().release("slow", Step::kStop);
  settle();
  EXPECT_TRUE(call->has_value());
  EXPECT_TRUE(backend().has_let_go_of(0));
  EXPECT_FALSE(backend().has_let_go_of(1));
}

/// down() that meets an up() still under way: both return, and nothing is left.
class EnvironmentDownWhileStartingTest : public EnvironmentCase {
 protected:
  EnvironmentDownWhileStartingTest() {
    add_service("db");
    add_service("web", {{"db"}});
  }

  void take_down_and_expect(const std::string& first_failure) {
    const Call<DownReport> down = begin_down({"db"});
    ASSERT_TRUE(down->has_value());
    ASSERT_TRUE(up_->has_value());
    EXPECT_THAT(texts(**up_), Contains(first_failure));
    EXPECT_THAT(backend().running(), IsEmpty());
    EXPECT_TRUE(environment().idle());
  }

  Call<UpReport> up_;
};

TEST_F(EnvironmentDownWhileStartingTest, EndsAStart) {
  backend().hold("db", Step::kStart);
  up_ = begin_up({});
  take_down_and_expect("db: stopped while it was being started");
  EXPECT_THAT(backend().events(), IsEmpty());
  EXPECT_THAT(backend().calls(), Not(Contains("start web")));
}

TEST_F(EnvironmentDownWhileStartingTest, EndsAWaitForReadiness) {
  backend().hold("db", Step::kReadiness);
  up_ = begin_up({});
  take_down_and_expect("db: stopped before it was ready");
  EXPECT_THAT(backend().calls(), Not(Contains("start web")));
}

TEST_F(EnvironmentDownWhileStartingTest, EndsAWaitForDependencies) {
  backend().hold("db", Step::kReadiness);
  up_ = begin_up({});
  take_down_and_expect("web: stopped before it was started");
}

TEST_F(EnvironmentDownWhileStartingTest, LeavesDownWhatItEndedBeforeItWasReady) {
  backend().hold("db", Step::kReadiness);
  up_ = begin_up({});
  take_down_and_expect("db: stopped before it was ready");
  for (const char* service : {"db", "web"}) {
    EXPECT_EQ(state(service), ServiceState::kDown) << service;
    EXPECT_EQ(status(service).readiness, "") << service;
  }
  EXPECT_FALSE(environment().had_failures());
}

TEST_F(EnvironmentDownWhileStartingTest, EndsOnlyTheStartOfTheNamedService) {
  backend().hold("db", Step::kReadiness);
  const Call<UpReport> db = begin_up({"db"});
  const Call<UpReport> web = begin_up({"web"});
  down({"web"});
  EXPECT_THAT(backend().running(), ElementsAre("db"));
  backend().release("db", Step::kReadiness);
  settle();
  ASSERT_TRUE(web->has_value());
  EXPECT_THAT(texts(**web), ElementsAre("web: stopped before it was started"));
  ASSERT_TRUE(db->has_value());
  EXPECT_THAT(texts(**db), IsEmpty());
  EXPECT_EQ(state("db"), ServiceState::kReady);
}

TEST_F(EnvironmentDownWhileStartingTest, IsAwaitedByACallThatHadTheServiceReady) {
  add_service("slow");
  backend().hold("slow", Step::kReadiness);
  backend().hold("db", Step::kStop);
  const Call<UpReport> call = begin_up({"db", "slow"});
  begin_down({"db"});
  backend().release("slow", Step::kReadiness);
  settle();
  EXPECT_FALSE(call->has_value());
  backend().release("db", Step::kStop);
  settle();
  ASSERT_TRUE(call->has_value());
  EXPECT_THAT(texts(**call), ElementsAre("db: down"));
}

/// Whatever the moment at which down() comes between two steps of up(), nothing is left.
TEST_F(EnvironmentDownWhileStartingTest, LeavesNothingWheneverItComes) {
  for (int steps = 0; steps < 60; ++steps) {
    const Call<UpReport> up = ask_up({});
    for (int step = 0; step < steps; ++step) take_one_step();
    const Call<DownReport> down = begin_down({"db"});
    ASSERT_TRUE(down->has_value()) << "after " << steps << " steps";
    ASSERT_TRUE(up->has_value()) << "after " << steps << " steps";
    ASSERT_THAT(backend().running(), IsEmpty()) << "after " << steps << " steps";
    ASSERT_TRUE(environment().idle()) << "after " << steps << " steps";
  }
}

class EnvironmentUpWhileStoppingTest : public EnvironmentCase {
 protected:
  EnvironmentUpWhileStoppingTest() {
    add_service("db");
    add_service("web", {{"db"}});
  }

  /// Takes all down, held at `step` of `service`, and comes with an up() meanwhile.
  void expect_a_new_start(const std::string& service, Step step) {
    up({});
    backend().forget_calls();
    backend().hold(service, step);
    const Call<DownReport> down = begin_down({"db"});
    EXPECT_FALSE(down->has_value());
    const Call<UpReport> next = begin_up({});
    EXPECT_FALSE(next->has_value());
    backend().release(service, step);
    settle();
    ASSERT_TRUE(down->has_value());
    EXPECT_THAT(names(**down), ElementsAre("web", "db"));
    ASSERT_TRUE(next->has_value());
    EXPECT_THAT(texts(**next), IsEmpty());
    EXPECT_THAT(backend().running(), ElementsAre("db", "web"));
    EXPECT_EQ(status("db").restarts, 1U);
    EXPECT_EQ(status("web").restarts, 1U);
  }
};

TEST_F(EnvironmentUpWhileStoppingTest, WaitsForTheStopAndStartsAnew) {
  expect_a_new_start("db", Step::kStop);
}

TEST_F(EnvironmentUpWhileStoppingTest, WaitsUntilTheOutputIsCaptured) {
  expect_a_new_start("db", Step::kDrain);
}

TEST_F(EnvironmentUpWhileStoppingTest, WaitsForADependencyWhoseTurnHasNotYetCome) {
  expect_a_new_start("web", Step::kStop);
}

TEST_F(EnvironmentUpWhileStoppingTest, StartsAnewWheneverItComes) {
  for (int steps = 0; steps < 40; ++steps) {
    up({});
    const Call<DownReport> down = ask_down({"db"});
    for (int step = 0; step < steps; ++step) take_one_step();
    const Call<UpReport> next = begin_up({});
    ASSERT_TRUE(down->has_value()) << "after " << steps << " steps";
    ASSERT_TRUE(next->has_value()) << "after " << steps << " steps";
    ASSERT_THAT(texts(**next), IsEmpty()) << "after " << steps << " steps";
    ASSERT_THAT(backend().running(), ElementsAre("db", "web")) << "after " << steps << " steps";
  }
}

}  // namespace
}  // namespace isoenv::test
