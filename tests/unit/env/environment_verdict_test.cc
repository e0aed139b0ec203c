// What services do that fails a test, and those that are started again.
#include "environment_case.h"

namespace isoenv::test {
namespace {

using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr ExitStatus kExit3{3, 0, false};
constexpr ExitStatus kCrash{0, SIGSEGV, false};

/// `service: what`, one an incident.
std::vector<std::string> whats(const std::vector<Incident>& incidents) {
  std::vector<std::string> texts;
  for (const Incident& incident : incidents) {
    texts.push_back(incident.service + ": " + incident.what);
  }
  return texts;
}

/// db ← web.
class EnvironmentVerdictTest : public EnvironmentCase {
 protected:
  void SetUp() override {
    add_service("db");
    add_service("web", {{"db"}});
  }
  void start() { EXPECT_THAT(texts(up({})), IsEmpty()); }
  void die(const std::string& service, ExitStatus status) {
    backend().die(service, status);
    settle();
  }
  std::vector<std::string> known() { return whats(incidents().take({0, 1}, 0)); }
};

TEST_F(EnvironmentVerdictTest, CountsAServiceThatDies) {
  start();
  backend().script("db").last_lines = {"last words"};
  die("db", kCrash);
  const std::vector<Incident> incident = incidents().take({0, 1}, 0);
  EXPECT_THAT(whats(incident),
              ElementsAre("db: ended while it should have been up: killed by SIGSEGV"));
  EXPECT_THAT(incident.front().report, ElementsAre("last words"));
  EXPECT_EQ(incident.front().log, "/logs/db.log");
  EXPECT_NE(incident.front().when, "");
}

TEST_F(EnvironmentVerdictTest, DoesNotShowAReportAgainAtTheEndThatFollows) {
  start();
  backend().script("db").last_lines = {"the report"};
  backend().script("web").last_lines = {"last words"};
  Incident report;
  report.what = "reported AddressSanitizer: odd";
  report.report = {"the report"};
  incidents().add(0, report);
  die("db", {1, 0, false});
  die("web", {1, 0, false});
  const std::vector<Incident> known = incidents().take({0, 1}, 0);
  ASSERT_EQ(known.size(), 3U);
  EXPECT_THAT(known[1].report, IsEmpty());
  EXPECT_THAT(known[2].report, ElementsAre("last words"));
}

TEST_F(EnvironmentVerdictTest, CountsNothingThatWasMeant) {
  start();
  act(FaultKind::kKill, {"db"});
  backend().script("web").stopped = ServiceStop::How::kKilled;
  act(FaultKind::kStop, {"web"});
  EXPECT_THAT(known(), IsEmpty());
}

TEST_F(EnvironmentVerdictTest, CountsWhoDoesNotStopInTimeOrEndsBadly) {
  start();
  backend().script("db").stopped = ServiceStop::How::kKilled;
  backend().script("web").stop_exit = kExit3;
  backend().script("web").stop_status = "exit code 3";
  const DownReport report = down({"db"});
  EXPECT_THAT(whats(report.incidents),
              ElementsAre("web: ended badly when it was stopped: exit code 3",
                          "db: did not stop within 10 s of SIGTERM, and was killed"));
  EXPECT_TRUE(environment().had_failures());
}

TEST_F(EnvironmentVerdictTest, TakesTheStopSignalAndItsShellCodeForAProperEnd) {
  for (const ExitStatus status :
       {ExitStatus{0, SIGTERM, false}, ExitStatus{143, 0, false}, ExitStatus{}}) {
    start();
    backend().script("db").stop_exit = status;
    EXPECT_THAT(down({"db"}).incidents, IsEmpty()) << status.describe();
  }
  start();
  backend().script("db").stop_exit = {0, SIGINT, false};
  EXPECT_THAT(down({"db"}).incidents, Not(IsEmpty()));
}

TEST_F(EnvironmentVerdictTest, KnowsTheEndsThatAreExpected) {
  plan_of("db").expect_exit = {kExit3, {0, SIGKILL, false}};
  start();
  die("db", kExit3);
  EXPECT_THAT(known(), IsEmpty());
  EXPECT_EQ(failure("db"), "ended as is expected: exit code 3");
  EXPECT_FALSE(environment().had_failures());
  EXPECT_THAT(texts(up({})), IsEmpty());
  die("db", kCrash);
  EXPECT_THAT(known(), ElementsAre(HasSubstr("SIGSEGV")));
}

TEST_F(EnvironmentVerdictTest, CountsNothingOfWhoMayFail) {
  plan_of("db").allow_failure = true;
  start();
  die("db", kCrash);
  EXPECT_THAT(known(), IsEmpty());
}

TEST_F(EnvironmentVerdictTest, TellsWhenTakenDownWhatNoTestWasTold) {
  start();
  die("web", kCrash);
  EXPECT_THAT(whats(incidents().take({1}, 0)), ElementsAre(HasSubstr("web: ")));
  die("db", kCrash);
  EXPECT_THAT(whats(down({"db"}).incidents), ElementsAre(HasSubstr("db: ")));
}

TEST_F(EnvironmentVerdictTest, TellsOfNoneButTheServicesAskedFor) {
  start();
  die("web", kCrash);
  const std::uint64_t later = incidents().next();
  EXPECT_THAT(incidents().take({0}, 0), IsEmpty());
  EXPECT_THAT(incidents().take({1}, later), IsEmpty());
}

TEST_F(EnvironmentVerdictTest, KeepsTheNewestIncidents) {
  Incident incident;
  for (int i = 0; i < 3000; ++i) incidents().add(0, incident);
  incident.what = "last";
  const std::uint64_t last = incidents().add(0, incident);
  incidents().extend(1, "of one that is gone");
  incidents().extend(last, "more");
  EXPECT_EQ(incidents().take({0}, 0).size(), 1000U);
  EXPECT_THAT(incidents().take({0}, last).front().report, ElementsAre("more"));
}

TEST_F(EnvironmentVerdictTest, StartsAgainWhatHasFailed) {
  plan_of("db").restart = RestartPolicy::kOnFailure;
  start();
  die("db", kExit3);
  EXPECT_EQ(state("db"), ServiceState::kRestarting);
  EXPECT_THAT(backend().running(), ElementsAre("web"));
  clock().advance(milliseconds(100));
  settle();
  EXPECT_EQ(state("db"), ServiceState::kReady);
  EXPECT_EQ(status("db").restarts, 1U);
  EXPECT_THAT(known(), ElementsAre(HasSubstr("exit code 3"))) << "it died all the same";
}

TEST_F(EnvironmentVerdictTest, DoesNotStartAgainWhatIsDone) {
  plan_of("db").restart = RestartPolicy::kOnFailure;
  plan_of("db").expect_exit = {kExit3};
  for (const ExitStatus status : {kExit3, ExitStatus{}}) {
    start();
    die("db", status);
    EXPECT_EQ(state("db"), ServiceState::kExited);
  }
}

TEST_F(EnvironmentVerdictTest, PausesLongerEachTimeAndGivesUpInTheEnd) {
  plan_of("db").restart = RestartPolicy::kOnFailure;
  start();
  const std::size_t before = clock().sleeps().size();
  for (int i = 0; i < 11; ++i) {
    die("db", kCrash);
    clock().advance_to_next();
    settle();
  }
  EXPECT_EQ(state("db"), ServiceState::kExited);
  const std::vector<std::chrono::nanoseconds> pauses(
      clock().sleeps().begin() + static_cast<std::ptrdiff_t>(before), clock().sleeps().end());
  using std::chrono::seconds;
  EXPECT_THAT(pauses, ElementsAre(milliseconds(100), milliseconds(200), milliseconds(400),
                                  milliseconds(800), milliseconds(1600), milliseconds(3200),
                                  seconds(5), seconds(5), seconds(5), seconds(5)));
  EXPECT_THAT(backend().events(), Contains("db: not restarted: it has ended 11 times in a row"));
}

TEST_F(EnvironmentVerdictTest, CountsAnewAfterAServiceWasReadyForAWhile) {
  plan_of("db").restart = RestartPolicy::kOnFailure;
  start();
  for (int i = 0; i < 30; ++i) {
    clock().advance(std::chrono::seconds(10));
    die("db", kCrash);
    clock().advance(milliseconds(100));
    settle();
    ASSERT_EQ(state("db"), ServiceState::kReady) << i;
  }
}

TEST_F(EnvironmentVerdictTest, WaitsForAServiceThatComesUpAtItsSecondTry) {
  plan_of("db").restart = RestartPolicy::kOnFailure;
  backend().script("db").readiness = ExitedBeforeReady{kExit3, {}};
  const Call<UpReport> call = begin_up({});
  EXPECT_FALSE(call->has_value());
  backend().script("db").readiness = Ready{};
  clock().advance(milliseconds(100));
  settle();
  ASSERT_TRUE(call->has_value());
  EXPECT_THAT(texts(**call), IsEmpty());
}

TEST_F(EnvironmentVerdictTest, TakesDownWhatIsToBeStartedAgain) {
  plan_of("db").restart = RestartPolicy::kOnFailure;
  start();
  die("db", kCrash);
  down({"db"});
  EXPECT_EQ(state("db"), ServiceState::kDown);
  EXPECT_EQ(failure("db"), "down");
  clock().advance(std::chrono::seconds(1));
  settle();
  EXPECT_THAT(backend().running(), IsEmpty());
}

TEST_F(EnvironmentVerdictTest, StartsAgainWhatAFaultHasKilled) {
  plan_of("db").restart = RestartPolicy::kOnFailure;
  start();
  act(FaultKind::kKill, {"db"});
  EXPECT_EQ(state("db"), ServiceState::kRestarting);
  clock().advance(milliseconds(100));
  settle();
  EXPECT_EQ(state("db"), ServiceState::kReady);
  act(FaultKind::kStop, {"db"});
  EXPECT_EQ(state("db"), ServiceState::kStopped);
  EXPECT_THAT(known(), IsEmpty());
}

}  // namespace
}  // namespace isoenv::test
