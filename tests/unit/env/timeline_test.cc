#include "env/timeline.h"

#include "environment_case.h"

namespace isoenv::test {
namespace {

using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

class TimelineTest : public EnvironmentCase {
 protected:
  /// `db: start 0+31`, in ms since the first; instants without a length.
  std::vector<std::string> spans() {
    std::vector<std::string> texts;
    const auto ms = [](Clock::TimePoint::duration duration) {
      return std::to_string(std::chrono::duration_cast<milliseconds>(duration).count());
    };
    for (const TraceSpan& span : timeline().spans()) {
      texts.push_back(span.track + ": " + span.name + " " + ms(span.begin.time_since_epoch()) +
                      (span.end ? "+" + ms(*span.end - span.begin) : ""));
    }
    return texts;
  }
  std::vector<std::string> phases(std::size_t service) {
    std::vector<std::string> texts;
    for (const StartPhase& phase : start_phases(timeline().start(service))) {
      texts.push_back(
          phase.name + " " +
          std::to_string(
              std::chrono::duration_cast<milliseconds>(phase.end - phase.begin).count()));
    }
    return texts;
  }
};

TEST_F(TimelineTest, KnowsHowLongAServiceWaitedAndHowLongItTookToGetReady) {
  add_service("db");
  add_service("web", {{"db"}});
  backend().hold("db", Step::kReadiness);
  backend().hold("web", Step::kReadiness);
  begin_up({});
  clock().advance(milliseconds(31));
  backend().release("db", Step::kReadiness);
  settle();
  clock().advance(milliseconds(9));
  backend().release("web", Step::kReadiness);
  settle();
  EXPECT_THAT(phases(0), ElementsAre("waits 0", "ready 31"));
  EXPECT_THAT(phases(1), ElementsAre("waits 31", "ready 9"));
}

TEST_F(TimelineTest, PhasesFollowEachOtherWithoutGaps) {
  StartMoments moments{};
  const Clock::TimePoint zero{};
  for (std::size_t i = 0; i < kMoments; ++i) moments[i] = zero + milliseconds(i * i);
  std::vector<std::string> names;
  Clock::TimePoint end = zero;
  for (const StartPhase& phase : start_phases(moments)) {
    EXPECT_EQ(phase.begin, end);
    end = phase.end;
    names.push_back(phase.name);
  }
  EXPECT_EQ(end, *moments.back());
  EXPECT_THAT(names,
              ElementsAre("waits", "plan", "clone", "link", "mounts", "exec", "output", "ready"));
}

TEST_F(TimelineTest, OutputAfterTheServiceWasReadyIsNoPhase) {
  StartMoments moments{};
  const Clock::TimePoint zero{};
  moments[static_cast<std::size_t>(Moment::kAsked)] = zero;
  moments[static_cast<std::size_t>(Moment::kReady)] = zero + milliseconds(5);
  moments[static_cast<std::size_t>(Moment::kOutput)] = zero + milliseconds(7);
  const std::vector<StartPhase> phases = start_phases(moments);
  ASSERT_EQ(phases.size(), 1U);
  EXPECT_EQ(phases[0].name, "ready");
  EXPECT_EQ(phases[0].end - phases[0].begin, milliseconds(5));
}

TEST_F(TimelineTest, TheFirstMomentOfAKindCounts) {
  add_service("db");
  timeline().mark(0, Moment::kOutput);
  clock().advance(milliseconds(3));
  timeline().mark(0, Moment::kOutput);
  EXPECT_EQ(timeline().start(0)[static_cast<std::size_t>(Moment::kOutput)], Clock::TimePoint{});
}

TEST_F(TimelineTest, ANewLifeForgetsTheMomentsOfTheOneBefore) {
  add_service("db");
  up({});
  timeline().mark(0, Moment::kOutput);
  down({"db"});
  clock().advance(milliseconds(100));
  up({});
  EXPECT_FALSE(timeline().start(0)[static_cast<std::size_t>(Moment::kOutput)]);
  EXPECT_EQ(timeline().start(0)[static_cast<std::size_t>(Moment::kAsked)],
            Clock::TimePoint{} + milliseconds(100));
}

TEST_F(TimelineTest, TheHistoryTellsEveryStateOfALife) {
  add_service("db");
  backend().hold("db", Step::kReadiness);
  begin_up({});
  clock().advance(milliseconds(5));
  backend().release("db", Step::kReadiness);
  settle();
  clock().advance(milliseconds(10));
  act(FaultKind::kPause, {"db"});
  clock().advance(milliseconds(20));
  act(FaultKind::kResume, {"db"});
  clock().advance(milliseconds(40));
  down({"db"});
  EXPECT_THAT(spans(), ElementsAre("db: start 0+5", "db: waits 0+0", "db: ready 0+5",
                                   "db: ready 5+10", "db: paused 15+20", "db: starting 35+0",
                                   "db: ready 35+40", "db: stopping 75+0"));
  EXPECT_THAT(phases(0), ElementsAre("waits 0", "ready 5")) << "the resumption was no start";
}

TEST_F(TimelineTest, AStartThatFailsTellsWhatItWasAt) {
  add_service("db");
  backend().hold("db", Step::kStart);
  begin_up({});
  timeline().mark(0, Moment::kPlanned);
  clock().advance(milliseconds(7));
  backend().script("db").start = NotStarted{"no program 'db'"};
  backend().release("db", Step::kStart);
  settle();
  EXPECT_THAT(spans(),
              ElementsAre("db: start 0+7", "db: waits 0+0", "db: plan 0+0", "db: clone 0+7"));
}

TEST_F(TimelineTest, EventsOfAServiceAreOnItsTrackAndOthersOnTheKeepers) {
  add_service("db");
  timeline().event("db: paused by 'test': it says");
  timeline().event("dbx: unknown");
  timeline().event("instance ends");
  EXPECT_THAT(spans(), ElementsAre("db: paused by 'test': it says 0", "keeper: dbx: unknown 0",
                                   "keeper: instance ends 0"));
}

TEST_F(TimelineTest, TestsAtTheSameTimeAreOnTracksOfTheirOwn) {
  add_service("db");
  timeline().test_begins(1, "a");
  timeline().test_begins(2, "b");
  clock().advance(milliseconds(1));
  timeline().test_ends(1);
  timeline().test_begins(3, "c");
  clock().advance(milliseconds(1));
  timeline().test_ends(2);
  timeline().test_ends(3);
  EXPECT_THAT(spans(), ElementsAre("tests 1: a 0+1", "tests 2: b 0+2", "tests 1: c 1+1"));
}

TEST_F(TimelineTest, TheHistoryIsBounded) {
  add_service("db");
  for (int i = 0; i < 100'010; ++i) timeline().event("db: flickers");
  const std::vector<TraceSpan> all = timeline().spans();
  EXPECT_EQ(all.size(), 100'001U);
  EXPECT_EQ(all.back().name, "the history is full");
}

TEST_F(TimelineTest, WithoutAHistoryOnlyTheLastStartAndThePresentStateAreKnown) {
  add_service("db");
  Timeline plain(plan(), clock(), /*keeps_history=*/false);
  for (int round = 0; round < 2; ++round) {
    plain.state(0, ServiceState::kWaiting);
    plain.state(0, ServiceState::kStarting);
    plain.event("db: started");
    clock().advance(milliseconds(5));
    plain.state(0, ServiceState::kReady);
    plain.state(0, ServiceState::kDown);
  }
  plain.state(0, ServiceState::kWaiting);
  clock().advance(milliseconds(1));
  plain.state(0, ServiceState::kStarting);
  plain.state(0, ServiceState::kReady);
  clock().advance(milliseconds(2));
  std::vector<std::string> names;
  for (const TraceSpan& span : plain.spans()) names.push_back(span.name);
  EXPECT_THAT(names, ElementsAre("start", "waits", "ready", "ready"));
  EXPECT_EQ(*plain.spans().back().end - plain.spans().back().begin, milliseconds(2));
}

TEST_F(TimelineTest, EventsTellTheFiguresOnlyWhenTheBackendKnowsThem) {
  add_service("db");
  backend().hold("db", Step::kReadiness);
  begin_up({});
  timeline().mark(0, Moment::kPlanned);
  clock().advance(milliseconds(2));
  timeline().mark(0, Moment::kLaunched);
  backend().release("db", Step::kReadiness);
  settle();
  EXPECT_THAT(backend().events(),
              Contains("db: ready after 2 ms (waits 0.0, plan 0.0, exec 2.0, ready 0.0)"));
}

}  // namespace
}  // namespace isoenv::test
