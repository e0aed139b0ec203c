#include "env/environment.h"

#include "environment_case.h"

namespace isoenv::test {
namespace {

using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

class EnvironmentTest : public EnvironmentCase {};

TEST_F(EnvironmentTest, StartsDependenciesBeforeDependents) {
  add_service("db");
  add_service("user", {{"db"}});
  add_service("web", {{"user"}});
  const UpReport report = up({"web"});
  EXPECT_EQ(report.environment, "shop");
  EXPECT_EQ(report.wanted, 3U);
  EXPECT_THAT(texts(report), IsEmpty());
  EXPECT_THAT(backend().calls(), ElementsAre("start db", "ready db", "start user", "ready user",
                                             "start web", "ready web"));
}

TEST_F(EnvironmentTest, ReturnsWhenAllAreReadyAndNotBefore) {
  add_service("db");
  add_service("web");
  backend().hold("web", Step::kReadiness);
  const Call<UpReport> call = begin_up({});
  EXPECT_EQ(state("db"), ServiceState::kReady);
  EXPECT_FALSE(call->has_value());
  backend().release("web", Step::kReadiness);
  settle();
  ASSERT_TRUE(call->has_value());
  EXPECT_THAT(texts(**call), IsEmpty());
}

TEST_F(EnvironmentTest, WaitsUntilADependencyIsReady) {
  add_service("db");
  add_service("web", {{"db"}});
  backend().hold("db", Step::kReadiness);
  begin_up({});
  EXPECT_THAT(backend().calls(), ElementsAre("start db"));
  EXPECT_EQ(state("db"), ServiceState::kStarting);
  EXPECT_EQ(state("web"), ServiceState::kWaiting);
  EXPECT_EQ(status("web").readiness, "waits for 'db'");
  backend().release("db", Step::kReadiness);
  settle();
  EXPECT_EQ(state("web"), ServiceState::kReady);
}

TEST_F(EnvironmentTest, StartsADependentOnceItsDependencyIsStartedWhenThatIsEnough) {
  add_service("db");
  add_service("web", {{"db", Need::kStarted}});
  backend().hold("db", Step::kStart);
  backend().hold("db", Step::kReadiness);
  begin_up({});
  EXPECT_THAT(backend().calls(), ElementsAre("start db"));
  backend().release("db", Step::kStart);
  settle();
  EXPECT_THAT(backend().calls(), ElementsAre("start db", "start web", "ready web"));
  EXPECT_EQ(state("db"), ServiceState::kStarting);
}

TEST_F(EnvironmentTest, WaitsUntilATaskIsCompleted) {
  add_task("migrate");
  add_service("web", {{"migrate", Need::kCompleted}});
  backend().hold("migrate", Step::kReadiness);
  const Call<UpReport> call = begin_up({});
  EXPECT_THAT(backend().calls(), ElementsAre("start migrate"));
  backend().release("migrate", Step::kReadiness);
  settle();
  EXPECT_TRUE(call->has_value());
  EXPECT_EQ(state("migrate"), ServiceState::kCompleted);
  EXPECT_EQ(state("web"), ServiceState::kReady);
}

TEST_F(EnvironmentTest, WaitsForADependencyThatWaitsItself) {
  add_service("db");
  add_service("user", {{"db"}});
  add_service("web", {{"user"}});
  backend().hold("db", Step::kReadiness);
  const Call<UpReport> call = begin_up({});
  EXPECT_EQ(state("user"), ServiceState::kWaiting);
  EXPECT_EQ(state("web"), ServiceState::kWaiting);
  EXPECT_EQ(status("web").readiness, "waits for 'user'");
  backend().release("db", Step::kReadiness);
  settle();
  ASSERT_TRUE(call->has_value());
  EXPECT_THAT(texts(**call), IsEmpty());
}

TEST_F(EnvironmentTest, WaitsForAllDependencies) {
  add_service("db");
  add_service("cache");
  add_service("web", {{"db"}, {"cache"}});
  backend().hold("db", Step::kReadiness);
  backend().hold("cache", Step::kReadiness);
  begin_up({});
  backend().release("cache", Step::kReadiness);
  settle();
  EXPECT_EQ(status("web").readiness, "waits for 'db'");
  backend().release("db", Step::kReadiness);
  settle();
  EXPECT_EQ(state("web"), ServiceState::kReady);
}

TEST_F(EnvironmentTest, StartsIndependentBranchesInParallel) {
  add_service("db");
  add_service("queue");
  add_service("web", {{"db"}});
  add_service("worker", {{"queue"}});
  for (const char* service : {"db", "queue", "web", "worker"}) {
    backend().hold(service, Step::kStart);
  }
  begin_up({});
  EXPECT_THAT(backend().calls(), UnorderedElementsAre("start db", "start queue"));
  backend().release("queue", Step::kStart);
  settle();
  EXPECT_THAT(backend().calls(), Contains("start worker"));
  EXPECT_THAT(backend().calls(), Not(Contains("start web")));
}

TEST_F(EnvironmentTest, StartsOnlyTheNamedServicesAndWhatTheyNeed) {
  add_service("db");
  add_service("cache");
  add_service("web", {{"db"}});
  add_service("worker", {{"db"}});
  EXPECT_EQ(up({"web"}).wanted, 2U);
  EXPECT_THAT(backend().running(), ElementsAre("db", "web"));
  EXPECT_EQ(state("cache"), ServiceState::kDown);
  EXPECT_EQ(state("worker"), ServiceState::kDown);
}

TEST_F(EnvironmentTest, FindsUpWhatIsUp) {
  add_service("db");
  add_task("migrate", {{"db"}});
  add_service("web", {{"migrate", Need::kCompleted}});
  up({"web"});
  backend().forget_calls();
  const UpReport again = up({"web"});
  EXPECT_EQ(again.wanted, 3U);
  EXPECT_THAT(texts(again), IsEmpty());
  EXPECT_THAT(backend().calls(), IsEmpty());
}

TEST_F(EnvironmentTest, StartsWhatIsMissingBesideWhatIsUp) {
  add_service("db");
  add_service("web", {{"db"}});
  up({"db"});
  backend().forget_calls();
  up({"web"});
  EXPECT_THAT(backend().calls(), ElementsAre("start web", "ready web"));
}

TEST_F(EnvironmentTest, StartsEachServiceOnceForSixteenCallers) {
  add_service("db");
  add_task("migrate", {{"db"}});
  add_service("web", {{"migrate", Need::kCompleted}});
  backend().hold("web", Step::kReadiness);
  std::vector<Call<UpReport>> calls;
  for (int caller = 0; caller < 8; ++caller) calls.push_back(ask_up({"web"}));
  settle();
  for (int caller = 8; caller < 16; ++caller) calls.push_back(begin_up({"web"}));
  for (const Call<UpReport>& call : calls) EXPECT_FALSE(call->has_value());

  backend().release("web", Step::kReadiness);
  settle();
  for (const Call<UpReport>& call : calls) {
    ASSERT_TRUE(call->has_value());
    EXPECT_THAT(texts(**call), IsEmpty());
  }
  for (const char* call : {"start db", "start migrate", "start web"}) {
    EXPECT_EQ(backend().count(call), 1) << call;
  }
  for (const char* service : {"db", "migrate", "web"}) EXPECT_EQ(status(service).restarts, 0U);
}

TEST_F(EnvironmentTest, JoinsAStartThatIsUnderWay) {
  add_service("db");
  backend().hold("db", Step::kStart);
  const Call<UpReport> first = begin_up({"db"});
  const Call<UpReport> second = begin_up({"db"});
  backend().release("db", Step::kStart);
  settle();
  EXPECT_TRUE(first->has_value());
  EXPECT_TRUE(second->has_value());
  EXPECT_EQ(backend().count("start db"), 1);
}

TEST_F(EnvironmentTest, CountsStartsAfterTheFirst) {
  add_service("db");
  EXPECT_EQ(status("db").restarts, 0U);
  up({"db"});
  EXPECT_EQ(status("db").restarts, 0U);
  down({"db"});
  up({"db"});
  EXPECT_EQ(status("db").restarts, 1U);
  down({"db"});
  EXPECT_EQ(status("db").restarts, 1U);
}

TEST_F(EnvironmentTest, TellsWhatAServiceIs) {
  add_service("db");
  add_task("migrate");
  ServicePlan& db = plan_of("db");
  db.ipv4 = "10.79.0.2";
  db.ipv6 = "fd69::2";
  db.ports = {{"sql", 5432, Protocol::kTcp, false}, {"stats", 8125, Protocol::kUdp, true}};

  const ServiceStatus before = status("db");
  EXPECT_EQ(before.service, "db");
  EXPECT_FALSE(before.is_task);
  EXPECT_EQ(before.state, ServiceState::kDown);
  EXPECT_EQ(before.pid, 0);
  EXPECT_EQ(before.ipv4, "10.79.0.2");
  EXPECT_EQ(before.ipv6, "fd69::2");
  EXPECT_THAT(before.ports, ElementsAre("sql 5432", "stats 8125/udp"));
  EXPECT_EQ(before.uptime, milliseconds::zero());
  EXPECT_EQ(before.readiness, "");
  EXPECT_TRUE(status("migrate").is_task);
}

TEST_F(EnvironmentTest, TellsHowAServiceIsDoing) {
  add_service("db");
  add_task("migrate");
  backend().hold("db", Step::kReadiness);
  backend().hold("migrate", Step::kReadiness);
  clock().advance(milliseconds(5000));
  begin_up({});
  clock().advance(milliseconds(31));
  EXPECT_EQ(status("db").state, ServiceState::kStarting);
  EXPECT_EQ(status("db").pid, FakeBackend::first_pid(0));
  EXPECT_EQ(status("db").uptime, milliseconds(31));

  backend().release("db", Step::kReadiness);
  settle();
  clock().advance(milliseconds(2969));
  backend().release("migrate", Step::kReadiness);
  settle();
  EXPECT_EQ(status("db").state, ServiceState::kReady);
  EXPECT_EQ(status("db").uptime, milliseconds(3000));
  EXPECT_EQ(status("db").readiness, "ready after 31 ms");
  EXPECT_EQ(status("migrate").pid, 0);
  EXPECT_EQ(status("migrate").uptime, milliseconds::zero());
  EXPECT_EQ(status("migrate").readiness, "completed after 3 s");

  down({"db"});
  EXPECT_EQ(status("db").state, ServiceState::kDown);
  EXPECT_EQ(status("db").pid, 0);
  EXPECT_EQ(status("db").uptime, milliseconds::zero());
  EXPECT_EQ(status("db").readiness, "");
}

TEST_F(EnvironmentTest, DoesNotTellOfAnEarlierWaitOrLifeWhileAServiceStarts) {
  add_service("db");
  add_service("web", {{"db"}});
  backend().hold("web", Step::kReadiness);
  const Call<UpReport> call = begin_up({});
  EXPECT_EQ(status("web").readiness, "");
  backend().die("web", {3, 0, false});
  settle();
  EXPECT_EQ(status("web").readiness, "ended before it was ready: exit code 3");
  begin_up({});
  EXPECT_EQ(status("web").state, ServiceState::kStarting);
  EXPECT_EQ(status("web").readiness, "");
}

TEST_F(EnvironmentTest, IsIdleWhenNothingIsStartingUpOrStopping) {
  add_task("migrate");
  add_service("db");
  EXPECT_TRUE(environment().idle());
  up({"migrate"});
  EXPECT_TRUE(environment().idle()) << "a completed task does not count";

  backend().hold("db", Step::kStart);
  begin_up({"db"});
  EXPECT_FALSE(environment().idle());
  backend().release("db", Step::kStart);
  settle();
  EXPECT_FALSE(environment().idle());

  backend().hold("db", Step::kDrain);
  begin_down({"db"});
  EXPECT_THAT(backend().running(), IsEmpty());
  EXPECT_FALSE(environment().idle());
  backend().release("db", Step::kDrain);
  settle();
  EXPECT_TRUE(environment().idle());
}

TEST_F(EnvironmentTest, TellsTheLogWhatHappens) {
  add_service("db");
  add_task("migrate", {{"db"}});
  up({});
  down({"db"});
  EXPECT_THAT(
      backend().events(),
      ElementsAre("db: started, pid 1001", "db: ready after 0 ms", "migrate: started, pid 1002",
                  "migrate: completed after 0 ms", "db: stopped, exit code 0"));
}

}  // namespace
}  // namespace isoenv::test
