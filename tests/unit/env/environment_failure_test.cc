// What can go wrong on the way up, and while services are up.
#include <stdexcept>

#include "environment_case.h"

namespace isoenv::test {
namespace {

using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

const ExitStatus kExitCode3{3, 0, false};
const ExitStatus kKilled{0, 9, false};

class EnvironmentFailureTest : public EnvironmentCase {
 protected:
  EnvironmentFailureTest() {
    add_service("db");
    add_service("web", {{"db"}});
  }

  /// Brings all up; `db` fails with that text, and with it whatever needs it.
  void expect_db_fails(const std::string& what) {
    const UpReport report = up({});
    EXPECT_EQ(report.wanted, 2U);
    EXPECT_THAT(texts(report),
                ElementsAre("db: " + what, "web: not started: it needs 'db', which failed"));
    EXPECT_EQ(state("db"), ServiceState::kFailed);
    EXPECT_EQ(status("db").readiness, what);
    EXPECT_EQ(failure("db"), what);
    EXPECT_EQ(status("db").pid, 0);
    EXPECT_EQ(state("web"), ServiceState::kFailed);
    EXPECT_THAT(backend().calls(), Not(Contains("start web")));
    EXPECT_THAT(backend().running(), IsEmpty());
    EXPECT_TRUE(environment().idle());
    EXPECT_THAT(backend().events(), Contains("db: " + what));
  }
};

TEST_F(EnvironmentFailureTest, ReportsAServiceThatCannotBeStarted) {
  backend().script("db").start = NotStarted{"no program 'postgers' in PATH=/bin"};
  expect_db_fails("no program 'postgers' in PATH=/bin");
}

TEST_F(EnvironmentFailureTest, ReportsAMachineThatRefusesWithWhatWasBeingDone) {
  Error error("cannot create a pipe: EMFILE");
  error.add_frame("starting 'db'");
  backend().script("db").start_throws = std::make_exception_ptr(error);
  const UpReport report = up({"db"});
  EXPECT_THAT(texts(report), ElementsAre("db: cannot create a pipe: EMFILE"));
  EXPECT_THAT(report.failures.at(0).diagnosis, ElementsAre("starting 'db'"));
}

TEST_F(EnvironmentFailureTest, ReportsAStartThatThrows) {
  backend().script("db").start_throws = std::make_exception_ptr(std::runtime_error("bad luck"));
  expect_db_fails("bad luck");
}

TEST_F(EnvironmentFailureTest, ReportsAServiceThatEndsBeforeItIsReady) {
  backend().script("db").readiness = ExitedBeforeReady{kExitCode3, {}};
  expect_db_fails("ended before it was ready: exit code 3");
}

TEST_F(EnvironmentFailureTest, ReportsAServiceThatDiesWhileItsReadinessIsAwaited) {
  backend().hold("db", Step::kReadiness);
  const Call<UpReport> call = begin_up({"db"});
  backend().die("db", kKilled);
  settle();
  ASSERT_TRUE(call->has_value());
  EXPECT_THAT(texts(**call), ElementsAre("db: ended before it was ready: killed by SIGKILL"));
}

TEST_F(EnvironmentFailureTest, ReportsAServiceThatIsNotReadyInTime) {
  backend().script("db").readiness = NotReadyInTime{{"tcp sql: nothing listens"}};
  expect_db_fails("not ready within 30 s");
  EXPECT_THAT(environment().failure(0).diagnosis, ElementsAre("tcp sql: nothing listens"));
  EXPECT_EQ(backend().count("stopped db"), backend().count("stop db"));
}

TEST_F(EnvironmentFailureTest, ReportsAWaitForReadinessThatThrows) {
  backend().script("db").readiness_throws = std::make_exception_ptr(Error("cannot ask the kernel"));
  expect_db_fails("cannot ask the kernel");
}

TEST_F(EnvironmentFailureTest, PassesOnWhatProbesSayOfAServiceThatEndedTooEarly) {
  backend().script("db").readiness =
      ExitedBeforeReady{kExitCode3, {"exit: exit code 3, expected 0"}};
  EXPECT_THAT(up({"db"}).failures.at(0).diagnosis, ElementsAre("exit: exit code 3, expected 0"));
}

TEST_F(EnvironmentFailureTest, ReportsTheLastOutputAndTheLog) {
  backend().script("db").readiness = NotReadyInTime{};
  backend().script("db").last_lines = {"FATAL: no space"};
  const ServiceFailure failure = up({"db"}).failures.at(0);
  EXPECT_EQ(failure.service, "db");
  EXPECT_THAT(failure.last_lines, ElementsAre("FATAL: no space"));
  EXPECT_EQ(failure.log, "/logs/db.log");
}

TEST_F(EnvironmentFailureTest, ReportsATaskThatFails) {
  add_task("seed");
  backend().script("seed").readiness = ExitedBeforeReady{kExitCode3, {}};
  EXPECT_THAT(texts(up({"seed"})), ElementsAre("seed: failed: exit code 3"));
  EXPECT_EQ(state("seed"), ServiceState::kFailed);
}

TEST_F(EnvironmentFailureTest, ReportsATaskThatTakesTooLong) {
  add_task("seed");
  plan_of("seed").ready_timeout = milliseconds(1500);
  backend().script("seed").readiness = NotReadyInTime{};
  EXPECT_THAT(texts(up({"seed"})), ElementsAre("seed: not completed within 1500 ms"));
  EXPECT_THAT(backend().running(), IsEmpty());
}

TEST_F(EnvironmentFailureTest, StartsNothingBehindAFailedService) {
  add_service("front", {{"web"}});
  add_service("other");
  backend().script("db").start = NotStarted{"no"};
  EXPECT_THAT(texts(up({})), ElementsAre("db: no", "web: not started: it needs 'db', which failed",
                                         "front: not started: it needs 'web', which failed"));
  EXPECT_THAT(backend().calls(), Not(Contains("start web")));
  EXPECT_THAT(backend().calls(), Not(Contains("start front")));
}

TEST_F(EnvironmentFailureTest, LetsOthersFinishTheirStartBeforeItReports) {
  add_service("other");
  backend().hold("other", Step::kReadiness);
  backend().script("db").start = NotStarted{"no"};
  const Call<UpReport> call = begin_up({});
  EXPECT_FALSE(call->has_value());
  backend().release("other", Step::kReadiness);
  settle();
  ASSERT_TRUE(call->has_value());
  EXPECT_EQ((*call)->failures.size(), 2U);
}

TEST_F(EnvironmentFailureTest, TakesDownWhatItAloneStarted) {
  add_service("other");
  backend().script("web").readiness = ExitedBeforeReady{kExitCode3, {}};
  EXPECT_THAT(texts(up({})), ElementsAre("web: ended before it was ready: exit code 3"));
  EXPECT_THAT(backend().running(), IsEmpty());
  EXPECT_EQ(state("db"), ServiceState::kDown);
  EXPECT_EQ(state("other"), ServiceState::kDown);
  EXPECT_EQ(state("web"), ServiceState::kFailed) << "the reason stays to be seen";
}

TEST_F(EnvironmentFailureTest, LeavesWhatAnEarlierCallHasBroughtUp) {
  up({"db"});
  backend().script("web").start = NotStarted{"no"};
  up({"web"});
  EXPECT_THAT(backend().running(), ElementsAre("db"));
  EXPECT_EQ(state("db"), ServiceState::kReady);
}

TEST_F(EnvironmentFailureTest, LeavesWhatACallUnderWayClaims) {
  add_service("slow", {{"db"}});
  backend().hold("slow", Step::kReadiness);
  backend().script("web").start = NotStarted{"no"};
  const Call<UpReport> other = begin_up({"slow"});
  EXPECT_THAT(texts(up({"web"})), ElementsAre("web: no"));
  EXPECT_THAT(backend().running(), ElementsAre("db", "slow"));
  backend().release("slow", Step::kReadiness);
  settle();
  ASSERT_TRUE(other->has_value());
  EXPECT_THAT(texts(**other), IsEmpty());
}

TEST_F(EnvironmentFailureTest, LeavesNothingWhenAllCallersFail) {
  backend().hold("web", Step::kReadiness);
  std::vector<Call<UpReport>> calls;
  for (int caller = 0; caller < 16; ++caller) calls.push_back(ask_up({"web"}));
  settle();
  backend().die("web", kExitCode3);
  settle();
  for (const Call<UpReport>& call : calls) {
    ASSERT_TRUE(call->has_value());
    EXPECT_THAT(texts(**call), ElementsAre("web: ended before it was ready: exit code 3"));
  }
  EXPECT_EQ(backend().count("start web"), 1);
  EXPECT_THAT(backend().running(), IsEmpty());
}

TEST_F(EnvironmentFailureTest, TriesAgainWhenAskedAgain) {
  backend().script("db").start = NotStarted{"no"};
  up({});
  backend().script("db").start = Started{};
  backend().hold("db", Step::kReadiness);
  const Call<UpReport> again = begin_up({});
  EXPECT_EQ(failure("db"), "starting");
  EXPECT_EQ(failure("web"), "waiting");
  backend().release("db", Step::kReadiness);
  settle();
  ASSERT_TRUE(again->has_value());
  EXPECT_THAT(texts(**again), IsEmpty());
  EXPECT_THAT(backend().running(), ElementsAre("db", "web"));
  EXPECT_EQ(failure("db"), "");
}

TEST_F(EnvironmentFailureTest, StartsAnewForACallThatComesWhileAFailedOneIsTakenDown) {
  backend().script("web").readiness = ExitedBeforeReady{kExitCode3, {}};
  backend().hold("db", Step::kStop);
  const Call<UpReport> failed = begin_up({"web"});
  EXPECT_EQ(state("db"), ServiceState::kStopping);
  backend().script("web").readiness = Ready{};
  const Call<UpReport> next = begin_up({"web"});
  backend().release("db", Step::kStop);
  settle();
  ASSERT_TRUE(failed->has_value());
  EXPECT_THAT(texts(**failed), ElementsAre("web: ended before it was ready: exit code 3"));
  ASSERT_TRUE(next->has_value());
  EXPECT_THAT(texts(**next), IsEmpty());
  EXPECT_THAT(backend().running(), ElementsAre("db", "web"));
}

class EnvironmentDeathTest : public EnvironmentFailureTest {
 protected:
  /// `db` ends by itself while both are up.
  void let_db_die() {
    up({});
    backend().forget_calls();
    backend().die("db", kKilled);
    settle();
  }
};

TEST_F(EnvironmentDeathTest, IsReportedWhenAServiceDiesWhileItIsUp) {
  let_db_die();
  EXPECT_EQ(state("db"), ServiceState::kExited);
  EXPECT_EQ(status("db").pid, 0);
  EXPECT_EQ(status("db").readiness, "ended while it should have been up: killed by SIGKILL");
  EXPECT_EQ(failure("db"), "ended while it should have been up: killed by SIGKILL");
  EXPECT_THAT(backend().events(), Contains("db: ended by itself: killed by SIGKILL"));
  EXPECT_THAT(backend().calls(), ElementsAre("stop db", "stopped db")) << "its sandbox goes too";
}

TEST_F(EnvironmentDeathTest, IsAssumedOfAServiceThatCanNoLongerBeWatched) {
  backend().script("db").exited_throws = std::make_exception_ptr(std::runtime_error("bad luck"));
  let_db_die();
  EXPECT_EQ(state("db"), ServiceState::kExited);
  EXPECT_EQ(failure("db"),
            "ended while it should have been up: it can no longer be watched: bad luck");
  EXPECT_THAT(backend().calls(), ElementsAre("stop db", "stopped db"));
}

TEST_F(EnvironmentDeathTest, LeavesDependentsUp) {
  let_db_die();
  EXPECT_EQ(state("web"), ServiceState::kReady);
  EXPECT_THAT(backend().running(), ElementsAre("web"));
}

TEST_F(EnvironmentDeathTest, IsMendedByUp) {
  let_db_die();
  backend().forget_calls();
  EXPECT_THAT(texts(up({"web"})), IsEmpty());
  EXPECT_THAT(backend().calls(), ElementsAre("start db", "ready db"));
  EXPECT_EQ(status("db").restarts, 1U);
  EXPECT_EQ(status("db").pid, FakeBackend::first_pid(0) + 1000);
  EXPECT_EQ(failure("db"), "");
}

TEST_F(EnvironmentDeathTest, IsMendedByAnUpThatComesBeforeItsRemainsAreGone) {
  backend().hold("db", Step::kDrain);
  let_db_die();
  EXPECT_FALSE(environment().idle());
  const Call<UpReport> call = begin_up({"web"});
  EXPECT_FALSE(call->has_value());
  EXPECT_THAT(backend().calls(), Not(Contains("start db")));
  backend().release("db", Step::kDrain);
  settle();
  ASSERT_TRUE(call->has_value());
  EXPECT_THAT(texts(**call), IsEmpty());
  EXPECT_THAT(backend().running(), ElementsAre("db", "web"));
}

TEST_F(EnvironmentDeathTest, FailsACallThatStillWaitsForOthers) {
  backend().hold("web", Step::kReadiness);
  const Call<UpReport> call = begin_up({});
  backend().die("db", kExitCode3);
  settle();
  backend().release("web", Step::kReadiness);
  settle();
  ASSERT_TRUE(call->has_value());
  EXPECT_THAT(texts(**call), ElementsAre("db: ended while it should have been up: exit code 3"));
  EXPECT_THAT(backend().running(), IsEmpty());
}

TEST_F(EnvironmentDeathTest, IsNotAStopInTheReportOfDown) {
  let_db_die();
  EXPECT_THAT(names(down({"db"})), ElementsAre("web"));
}

}  // namespace
}  // namespace isoenv::test
