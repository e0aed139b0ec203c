// Services that are started before any up() asks for them.
#include <boost/asio/detached.hpp>

#include "environment_case.h"

namespace isoenv::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class EnvironmentAheadTest : public EnvironmentCase {
 protected:
  void start_ahead(const std::vector<std::size_t>& services) {
    environment().start_ahead(services);
    settle();
  }
  std::vector<std::string> untold() {
    std::vector<std::string> texts;
    std::vector<std::size_t> all(plan().services.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    for (const Incident& incident : incidents().take_untold(all)) texts.push_back(incident.what);
    return texts;
  }
};

TEST_F(EnvironmentAheadTest, AreStartedWithAllTheyDependOnInOrder) {
  add_service("db");
  add_service("web", {{"db"}});
  add_service("logs");
  start_ahead({1});
  EXPECT_THAT(backend().calls(), ElementsAre("start db", "ready db", "start web", "ready web"));
}

TEST_F(EnvironmentAheadTest, AreFoundUpByWhoAsksForThem) {
  add_service("db");
  start_ahead({0});
  EXPECT_THAT(texts(up({"db"})), IsEmpty());
  EXPECT_THAT(backend().calls(), ElementsAre("start db", "ready db"));
}

TEST_F(EnvironmentAheadTest, AreAwaitedByWhoAsksWhileTheyStart) {
  add_service("db");
  backend().hold("db", Step::kReadiness);
  start_ahead({0});
  const Call<UpReport> call = begin_up({"db"});
  EXPECT_FALSE(call->has_value());
  backend().release("db", Step::kReadiness);
  settle();
  ASSERT_TRUE(call->has_value());
  EXPECT_THAT(texts(**call), IsEmpty());
}

TEST_F(EnvironmentAheadTest, AFailureIsToldOnceByWhoAsksAndIsOneOnlyThen) {
  add_service("db");
  backend().script("db").readiness = ExitedBeforeReady{{3, 0, false}, {}};
  start_ahead({0});
  EXPECT_FALSE(environment().had_failures());
  EXPECT_THAT(texts(up({"db"})), ElementsAre("db: ended before it was ready: exit code 3"));
  EXPECT_TRUE(environment().had_failures());
  EXPECT_THAT(backend().calls(), ElementsAre("start db", "stop db", "stopped db"))
      << "it is not tried again for the same up()";
  backend().script("db").readiness = Ready{};
  EXPECT_THAT(texts(up({"db"})), IsEmpty()) << "the next one tries again";
}

TEST_F(EnvironmentAheadTest, AFailureBehindAServiceIsToldAsWithout) {
  add_service("db");
  add_service("web", {{"db"}});
  backend().script("db").start = NotStarted{"no program 'db'"};
  start_ahead({1});
  EXPECT_THAT(texts(up({"web"})),
              ElementsAre("db: no program 'db'", "web: not started: it needs 'db', which failed"));
}

TEST_F(EnvironmentAheadTest, OneThatNobodyHasAskedForFailsNothing) {
  add_service("db");
  add_service("web");
  start_ahead({0, 1});
  backend().die("web", {0, SIGSEGV, true});
  settle();
  EXPECT_EQ(state("web"), ServiceState::kExited);
  EXPECT_FALSE(environment().had_failures());
  EXPECT_THAT(untold(), IsEmpty());
  backend().script("db").stopped = ServiceStop::How::kKilled;
  EXPECT_THAT(down({"db"}).incidents, IsEmpty());
  EXPECT_FALSE(environment().had_failures());
}

TEST_F(EnvironmentAheadTest, OneThatEndedBeforeAnybodyAskedFailsWhoAsks) {
  add_service("db");
  start_ahead({0});
  backend().die("db", {3, 0, false});
  settle();
  EXPECT_THAT(texts(up({"db"})),
              ElementsAre("db: ended while it should have been up: exit code 3"));
}

TEST_F(EnvironmentAheadTest, OneThatSomebodyHasAskedForCountsAsAnyOther) {
  add_service("db");
  start_ahead({0});
  up({"db"});
  backend().die("db", {3, 0, false});
  settle();
  EXPECT_TRUE(environment().had_failures());
  EXPECT_THAT(untold(), SizeIs(1));
}

TEST_F(EnvironmentAheadTest, StayUpWhenAnUpThatNeedsThemFails) {
  add_service("db");
  add_service("web", {{"db"}});
  add_service("order", {{"db"}});
  backend().script("web").start = NotStarted{"no program 'web'"};
  start_ahead({0, 2});
  EXPECT_THAT(texts(up({"web"})), SizeIs(1));
  EXPECT_EQ(state("db"), ServiceState::kReady) << "'order' depends on it";
  EXPECT_EQ(state("order"), ServiceState::kReady);
}

TEST_F(EnvironmentAheadTest, AreTakenDownAsAnyOther) {
  add_service("db");
  add_service("web", {{"db"}});
  start_ahead({1});
  EXPECT_THAT(names(down({"db"})), ElementsAre("web", "db"));
  EXPECT_TRUE(environment().idle());
}

TEST_F(EnvironmentAheadTest, AreNotStartedASecondTime) {
  add_service("db");
  up({"db"});
  down({"db"});
  start_ahead({0});
  EXPECT_EQ(state("db"), ServiceState::kDown) << "somebody has taken it down";
}

TEST_F(EnvironmentAheadTest, ThoseWithoutAnyoneWhoAskedCanBeDropped) {
  add_service("db");
  add_service("web");
  start_ahead({0, 1});
  up({"db"});
  boost::asio::co_spawn(executor(), environment().drop_ahead(), boost::asio::detached);
  settle();
  EXPECT_EQ(state("db"), ServiceState::kReady);
  EXPECT_EQ(state("web"), ServiceState::kDown);
}

}  // namespace
}  // namespace isoenv::test
