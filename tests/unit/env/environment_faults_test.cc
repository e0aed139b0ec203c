// What is done to services on purpose, and undone.
#include "environment_case.h"

namespace isoenv::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr auto kStop = FaultKind::kStop;
constexpr auto kStart = FaultKind::kStart;
constexpr auto kRestart = FaultKind::kRestart;
constexpr auto kKill = FaultKind::kKill;
constexpr auto kPause = FaultKind::kPause;
constexpr auto kResume = FaultKind::kResume;

/// db ← user ← web, all up.
class EnvironmentFaultsTest : public EnvironmentCase {
 protected:
  void SetUp() override {
    add_service("db");
    add_service("user", {{"db"}});
    add_service("web", {{"user"}});
    EXPECT_THAT(texts(up({})), IsEmpty());
    backend().forget_calls();
  }
};

TEST_F(EnvironmentFaultsTest, PausesAndResumesOneServiceAlone) {
  EXPECT_THAT(effects(act(kPause, {"db"})), ElementsAre("db: paused"));
  EXPECT_TRUE(backend().paused("db"));
  EXPECT_EQ(state("db"), ServiceState::kPaused);
  EXPECT_EQ(status("db").readiness, "paused by somebody");
  EXPECT_EQ(failure("db"), "paused by somebody");
  EXPECT_EQ(state("user"), ServiceState::kReady);
  EXPECT_THAT(effects(act(kResume, {"db"})), ElementsAre("db: resumed"));
  EXPECT_FALSE(backend().paused("db"));
  EXPECT_EQ(state("db"), ServiceState::kReady);
  EXPECT_EQ(failure("db"), "");
  EXPECT_EQ(status("db").readiness, "ready after 0 ms");
  EXPECT_THAT(backend().calls(), ElementsAre("pause db", "resume db", "ready db"));
  EXPECT_FALSE(environment().had_failures());
}

TEST_F(EnvironmentFaultsTest, PausesAndResumesOnlyOnce) {
  act(kPause, {"db"});
  EXPECT_THAT(effects(act(kPause, {"db"})), ElementsAre("db: was paused already"));
  act(kResume, {"db"});
  EXPECT_THAT(effects(act(kResume, {"db"})), ElementsAre("db: was not paused"));
  EXPECT_THAT(backend().calls(), ElementsAre("pause db", "resume db", "ready db"));
}

TEST_F(EnvironmentFaultsTest, IsNotResumedBeforeItIsReadyAgain) {
  act(kPause, {"db"});
  backend().hold("db", Step::kReadiness);
  const Call<FaultReport> call = ask_act(kResume, {"db"});
  settle();
  EXPECT_FALSE(call->has_value());
  EXPECT_EQ(state("db"), ServiceState::kStarting);
  backend().release("db", Step::kReadiness);
  settle();
  ASSERT_TRUE(call->has_value());
  EXPECT_THAT(effects(**call), ElementsAre("db: resumed"));
  EXPECT_EQ(state("db"), ServiceState::kReady);
}

TEST_F(EnvironmentFaultsTest, TellsThatAResumedServiceIsNotReadyAgain) {
  act(kPause, {"db"});
  backend().script("db").readiness = NotReadyInTime{};
  const FaultReport report = act(kResume, {"db"});
  EXPECT_THAT(report.effects, IsEmpty());
  ASSERT_EQ(report.failures.size(), 1U);
  EXPECT_EQ(report.failures[0].what, "not ready again within 30 s");
  EXPECT_THAT(backend().running(), ElementsAre("user", "web"));
  backend().script("db").readiness = Ready{};
  EXPECT_THAT(texts(up({})), IsEmpty());
}

TEST_F(EnvironmentFaultsTest, TellsThatAResumedServiceHasEnded) {
  act(kPause, {"db"});
  backend().hold("db", Step::kReadiness);
  const Call<FaultReport> call = ask_act(kResume, {"db"});
  settle();
  backend().die("db", {1, 0, false});
  settle();
  ASSERT_TRUE(call->has_value());
  ASSERT_EQ((*call)->failures.size(), 1U);
  EXPECT_EQ((*call)->failures[0].what, "ended while it should have been up: exit code 1");
}

TEST_F(EnvironmentFaultsTest, KillsWhatIsNotReadyYet) {
  act(kStop, {"db"});
  backend().hold("db", Step::kReadiness);
  const Call<FaultReport> started = ask_act(kStart, {"db"});
  settle();
  act(kKill, {"db"});
  ASSERT_TRUE(started->has_value());
  EXPECT_EQ(failure("db"), "ended after SIGKILL by somebody: killed by SIGKILL");
  EXPECT_FALSE(environment().had_failures()) << "it was meant";
}

TEST_F(EnvironmentFaultsTest, StopsOneServiceAndLeavesItsDependents) {
  EXPECT_THAT(effects(act(kStop, {"db"})), ElementsAre("db: stopped, exit code 0"));
  EXPECT_THAT(backend().running(), ElementsAre("user", "web"));
  EXPECT_EQ(state("db"), ServiceState::kStopped);
  EXPECT_EQ(failure("db"), "stopped by somebody");
  EXPECT_THAT(effects(act(kStop, {"db"})), ElementsAre("db: was not running"));
  EXPECT_FALSE(environment().had_failures());
}

TEST_F(EnvironmentFaultsTest, StartsAgainWhatWasStopped) {
  act(kStop, {"db"});
  EXPECT_THAT(effects(act(kStart, {"db"})), ElementsAre("db: ready after 0 ms"));
  EXPECT_EQ(state("db"), ServiceState::kReady);
  EXPECT_EQ(status("db").restarts, 1U);
  EXPECT_THAT(backend().calls(), ElementsAre("stop db", "stopped db", "start db", "ready db"));
}

TEST_F(EnvironmentFaultsTest, WaitsUntilTheStartedServiceIsReady) {
  act(kStop, {"db"});
  backend().hold("db", Step::kReadiness);
  const Call<FaultReport> call = ask_act(kStart, {"db"});
  settle();
  EXPECT_FALSE(call->has_value());
  backend().release("db", Step::kReadiness);
  settle();
  EXPECT_TRUE(call->has_value());
}

TEST_F(EnvironmentFaultsTest, StartsAServiceBesideADependencyThatIsMissingOnPurpose) {
  act(kStop, {"db"});
  EXPECT_THAT(effects(act(kRestart, {"user"})),
              ElementsAre("user: stopped, exit code 0", "user: ready after 0 ms"));
  EXPECT_THAT(backend().running(), ElementsAre("user", "web"));
  act(kPause, {"web"});
  act(kKill, {"user"});
  EXPECT_THAT(effects(act(kStart, {"user"})), ElementsAre("user: ready after 0 ms"));
  EXPECT_EQ(state("db"), ServiceState::kStopped);
  EXPECT_EQ(state("web"), ServiceState::kPaused);
}

TEST_F(EnvironmentFaultsTest, TellsThatAStartedServiceIsNotReady) {
  act(kStop, {"db"});
  backend().script("db").readiness = NotReadyInTime{};
  const FaultReport report = act(kStart, {"db"});
  EXPECT_THAT(report.effects, IsEmpty());
  ASSERT_EQ(report.failures.size(), 1U);
  EXPECT_EQ(report.failures[0].what, "not ready within 30 s");
  EXPECT_THAT(backend().running(), ElementsAre("user", "web"));
}

TEST_F(EnvironmentFaultsTest, KillsAndReturnsWhenItHasEnded) {
  EXPECT_THAT(effects(act(kKill, {"db"})), ElementsAre("db: ended by SIGKILL"));
  EXPECT_EQ(state("db"), ServiceState::kExited);
  EXPECT_EQ(failure("db"), "ended after SIGKILL by somebody: killed by SIGKILL");
  EXPECT_THAT(backend().running(), ElementsAre("user", "web"));
  EXPECT_FALSE(environment().had_failures()) << "it was meant";
}

TEST_F(EnvironmentFaultsTest, SendsASignalAndDoesNotWait) {
  EXPECT_THAT(effects(act(kKill, {"db"}, 0, SIGHUP)), ElementsAre("db: sent SIGHUP"));
  EXPECT_EQ(state("db"), ServiceState::kReady);
  EXPECT_THAT(backend().calls(), ElementsAre("SIGHUP db"));
}

TEST_F(EnvironmentFaultsTest, TakesNoCrashAfterAHarmlessSignalForMeant) {
  act(kKill, {"db"}, 0, SIGHUP);
  backend().die("db", {1, 0, false});
  settle();
  EXPECT_EQ(failure("db"), "ended while it should have been up: exit code 1");
  EXPECT_TRUE(environment().had_failures());
}

TEST_F(EnvironmentFaultsTest, TakesAnyEndAfterATerminatingSignalForMeant) {
  act(kKill, {"db"}, 0, SIGTERM);
  backend().die("db", {3, 0, false});
  settle();
  EXPECT_EQ(failure("db"), "ended after SIGTERM by somebody: exit code 3");
  EXPECT_FALSE(environment().had_failures());
}

TEST_F(EnvironmentFaultsTest, KillsWhatIsPaused) {
  act(kPause, {"db"});
  act(kKill, {"db"});
  EXPECT_EQ(state("db"), ServiceState::kExited);
  act(kStart, {"db"});
  EXPECT_EQ(state("db"), ServiceState::kReady);
  EXPECT_FALSE(backend().paused("db"));
}

TEST_F(EnvironmentFaultsTest, StopsAndTakesDownWhatIsPaused) {
  act(kPause, {"db"});
  act(kPause, {"web"});
  act(kStop, {"web"});
  EXPECT_EQ(state("web"), ServiceState::kStopped);
  EXPECT_THAT(names(down({"db"})), ElementsAre("user", "db"));
  EXPECT_EQ(state("db"), ServiceState::kDown);
  EXPECT_EQ(state("web"), ServiceState::kDown);
  EXPECT_EQ(failure("db"), "down");
}

TEST_F(EnvironmentFaultsTest, KeepsThePlaceOfWhatWasStoppedUntilThatIsTakenDown) {
  act(kStop, {"web"});
  EXPECT_FALSE(backend().has_let_go_of(2));
  down({"web"});
  EXPECT_TRUE(backend().has_let_go_of(2));
}

TEST_F(EnvironmentFaultsTest, LeavesThePlacesToTheKernelWhenEverythingIsTakenDown) {
  down({"db"});
  for (std::size_t service = 0; service < 3; ++service) {
    EXPECT_FALSE(backend().has_let_go_of(service)) << service;
  }
}

TEST_F(EnvironmentFaultsTest, RefusesWhatCannotHappenAndDoesNothing) {
  act(kStop, {"db"});
  backend().forget_calls();
  for (const FaultKind kind : {kPause, kKill, kResume}) {
    EXPECT_THROW(act(kind, {"web", "db"}), Error) << fault_name(kind);
  }
  EXPECT_THAT(backend().calls(), IsEmpty());
}

TEST_F(EnvironmentFaultsTest, UpMakesEverythingReadyAgain) {
  act(kPause, {"db"});
  act(kStop, {"user"});
  act(kKill, {"web"});
  EXPECT_THAT(texts(up({})), IsEmpty());
  for (const char* service : {"db", "user", "web"}) {
    EXPECT_EQ(state(service), ServiceState::kReady) << service;
  }
  EXPECT_FALSE(backend().paused("db"));
}

TEST_F(EnvironmentFaultsTest, IsNotIdleWithAStoppedService) {
  act(kStop, {"db", "user", "web"});
  EXPECT_THAT(backend().running(), IsEmpty());
  EXPECT_FALSE(environment().idle());
  down({"db"});
  EXPECT_TRUE(environment().idle());
}

TEST_F(EnvironmentFaultsTest, StopDuringStartEndsTheStart) {
  act(kStop, {"db"});
  backend().hold("db", Step::kStart);
  const Call<FaultReport> started = ask_act(kStart, {"db"});
  settle();
  act(kStop, {"db"});
  ASSERT_TRUE(started->has_value());
  EXPECT_EQ((*started)->failures.size(), 1U);
  EXPECT_EQ(state("db"), ServiceState::kStopped);
}

TEST_F(EnvironmentFaultsTest, RestartDoesNotBringBackWhatIsTakenDownMeanwhile) {
  backend().hold("web", Step::kStop);
  const Call<FaultReport> restarted = ask_act(kRestart, {"web"});
  settle();
  const Call<DownReport> taken_down = ask_down({"web"});
  settle();
  backend().release("web", Step::kStop);
  settle();
  EXPECT_TRUE(restarted->has_value());
  EXPECT_TRUE(taken_down->has_value());
  EXPECT_EQ(state("web"), ServiceState::kDown);
  EXPECT_THAT(backend().running(), ElementsAre("db", "user"));
}

TEST_F(EnvironmentFaultsTest, DownDuringPauseEndsTheService) {
  backend().hold("web", Step::kPause);
  const Call<FaultReport> paused = ask_act(kPause, {"web"});
  settle();
  EXPECT_FALSE(paused->has_value());
  down({"web"});
  EXPECT_TRUE(paused->has_value());
  EXPECT_EQ(state("web"), ServiceState::kDown);
}

TEST_F(EnvironmentFaultsTest, UndoesWhatASessionDidInDependencyOrder) {
  act(kPause, {"db"}, 7);
  act(kStop, {"web", "user"}, 7);
  backend().forget_calls();
  EXPECT_THAT(effects(undo(7)),
              ElementsAre("db: resumed", "user: ready after 0 ms", "web: ready after 0 ms"));
  EXPECT_THAT(backend().calls(), ElementsAre("resume db", "ready db", "start user", "ready user",
                                             "start web", "ready web"));
  EXPECT_THAT(effects(undo(7)), IsEmpty()) << "once is enough";
}

TEST_F(EnvironmentFaultsTest, UndoesOnlyWhatItsSessionDidAndWasNotToKeep) {
  act(kPause, {"db"}, 7);
  act(kStop, {"user"}, 8);
  act(kPause, {"web"}, 7, SIGKILL, /*keep=*/true);
  EXPECT_THAT(effects(undo(7)), ElementsAre("db: resumed"));
  EXPECT_EQ(state("user"), ServiceState::kStopped);
  EXPECT_EQ(state("web"), ServiceState::kPaused);
  EXPECT_THAT(effects(undo(0)), IsEmpty());
}

TEST_F(EnvironmentFaultsTest, StartsAgainWhatASessionKilled) {
  act(kKill, {"user"}, 7);
  EXPECT_THAT(effects(undo(7)), ElementsAre("user: ready after 0 ms"));
  EXPECT_THAT(texts(up({})), IsEmpty());
}

TEST_F(EnvironmentFaultsTest, LeavesNoServiceThatWillStillEndByASignal) {
  act(kPause, {"user"}, 7);
  act(kKill, {"user"}, 7, SIGTERM);
  EXPECT_THAT(effects(undo(7)),
              ElementsAre("user: stopped, exit code 0", "user: ready after 0 ms"));
  EXPECT_EQ(state("user"), ServiceState::kReady);
}

TEST_F(EnvironmentFaultsTest, DoesNotUndoWhatWasUndoneAlready) {
  act(kPause, {"db"}, 7);
  act(kResume, {"db"}, 7);
  act(kStop, {"web"}, 7);
  down({"web"});
  EXPECT_THAT(effects(undo(7)), IsEmpty());
  EXPECT_EQ(state("web"), ServiceState::kDown);
}

TEST_F(EnvironmentFaultsTest, TellsWhatCannotBeUndone) {
  act(kKill, {"db"}, 7);
  backend().script("db").start = NotStarted{"no such program"};
  const FaultReport report = undo(7);
  ASSERT_EQ(report.failures.size(), 1U);
  EXPECT_EQ(report.failures[0].what, "no such program");
  EXPECT_EQ(failure("db"), "no such program");
}

TEST_F(EnvironmentFaultsTest, TellsEveryFaultInTheLog) {
  act(kPause, {"db"});
  act(kResume, {"db"});
  act(kKill, {"web"});
  act(kStop, {"user"});
  EXPECT_THAT(backend().events(), Contains("db: paused by somebody"));
  EXPECT_THAT(backend().events(), Contains("db: resumed by somebody"));
  EXPECT_THAT(backend().events(), Contains("web: SIGKILL by somebody"));
  EXPECT_THAT(backend().events(), Contains("user: stop by somebody"));
  EXPECT_THAT(backend().events(), Not(Contains(HasSubstr("ended by itself"))));
}

}  // namespace
}  // namespace isoenv::test
