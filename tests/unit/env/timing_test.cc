#include "env/timing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "support/fake_clock.h"

namespace isoenv::test {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = nlohmann::json;

/// db (10 ms), cache (4 ms); web needs both, and 6 ms more; logs stands alone (12 ms).
class TimingTest : public ::testing::Test {
 protected:
  TimingTest() {
    plan_.name = "shop";
    for (const char* name : {"db", "cache", "web", "logs"}) {
      plan_.services.emplace_back();
      plan_.services.back().name = name;
    }
    plan_.services[2].depends = {{0, Need::kReady}, {1, Need::kReady}};
    for (std::size_t i = 0; i < 4; ++i) timeline_.state(i, ServiceState::kWaiting);
    for (const std::size_t i : {0U, 1U, 3U}) timeline_.state(i, ServiceState::kStarting);
    timeline_.mark(0, Moment::kPlanned);
    wait(4);
    timeline_.state(1, ServiceState::kReady);
    wait(6);
    timeline_.mark(0, Moment::kOutput);
    timeline_.state(0, ServiceState::kReady);
    timeline_.state(2, ServiceState::kStarting);
    wait(2);
    timeline_.state(3, ServiceState::kReady);
    wait(4);
    timeline_.state(2, ServiceState::kReady);
  }
  void wait(int ms) { clock_.advance(milliseconds(ms)); }
  Timing timing(Clock::TimePoint asked = {}) {
    return make_timing(plan_, {0, 1, 2, 3}, asked, timeline_);
  }
  static std::vector<std::string> chain(const Timing& timing) {
    std::vector<std::string> texts;
    for (const ChainLink& link : timing.chain) {
      texts.push_back(
          link.service + " " +
          std::to_string(std::chrono::duration_cast<milliseconds>(link.duration).count()));
    }
    return texts;
  }

  EnvironmentPlan plan_;
  FakeClock clock_;
  Timeline timeline_{plan_, clock_, false};
};

TEST_F(TimingTest, TheLongestChainIsWhatTheLastOneWaitedFor) {
  EXPECT_THAT(chain(timing()), ElementsAre("db 10", "web 6"));
}

TEST_F(TimingTest, AServiceThatNobodyHadToWaitForIsNotInTheChain) {
  timeline_.state(2, ServiceState::kDown);
  wait(1);
  timeline_.state(2, ServiceState::kWaiting);
  timeline_.state(2, ServiceState::kStarting);
  wait(3);
  timeline_.state(2, ServiceState::kReady);
  EXPECT_THAT(chain(timing()), ElementsAre("web 3"));
}

TEST_F(TimingTest, ADependencyThatOnlyHasToBeStartedEndsItsPartThere) {
  plan_.services[2].depends = {{0, Need::kStarted}};
  timeline_.state(0, ServiceState::kDown);
  timeline_.state(2, ServiceState::kDown);
  timeline_.state(0, ServiceState::kWaiting);
  timeline_.state(2, ServiceState::kWaiting);
  timeline_.state(0, ServiceState::kStarting);
  wait(2);
  timeline_.mark(0, Moment::kLaunched);
  timeline_.state(2, ServiceState::kStarting);
  wait(1);
  timeline_.state(0, ServiceState::kReady);
  wait(4);
  timeline_.state(2, ServiceState::kReady);
  EXPECT_THAT(chain(timing()), ElementsAre("db 2", "web 5"));
}

TEST_F(TimingTest, TheTableHasARowForEachServiceAndAColumnForEachPhase) {
  EXPECT_EQ(timing_text(timing(), {}),
            "where the time went, in ms:\n"
            "  service   waits    plan   clone    link  mounts    exec  output   ready   total\n"
            "  db          0.0     0.0       -       -       -       -    10.0     0.0    10.0\n"
            "  cache       0.0       -       -       -       -       -       -     4.0     4.0\n"
            "  web        10.0       -       -       -       -       -       -     6.0    16.0\n"
            "  logs        0.0       -       -       -       -       -       -    12.0    12.0\n"
            "longest chain: db 10.0 → web 6.0, in all 16.0 ms\n");
}

TEST_F(TimingTest, TheTableMarksWhatWasUpBefore) {
  const std::string text = timing_text(timing(clock_.now()), {});
  EXPECT_THAT(text, HasSubstr("\n  db *  "));
  EXPECT_THAT(text, HasSubstr("\n  * was up, or on its way, before\n"));
}

TEST_F(TimingTest, WhatNeverGotReadyHasNoTotal) {
  timeline_.state(3, ServiceState::kDown);
  timeline_.state(3, ServiceState::kWaiting);
  EXPECT_THAT(
      timing_text(timing(), {}),
      HasSubstr(
          "  logs          -       -       -       -       -       -       -       -       -\n"));
}

TEST_F(TimingTest, TheTableTellsWhatTheCommandItselfDid) {
  const Clock::TimePoint zero{};
  const CommandPhases command{{"spec", zero, zero + microseconds(600)},
                              {"keeper", zero + microseconds(600), zero + milliseconds(7)}};
  EXPECT_THAT(timing_text(timing(), command),
              HasSubstr("\nthis command: spec 0.6, keeper 6.4, in all 7.0 ms\n"));
}

TEST_F(TimingTest, ProgramsGetTheSameInMilliseconds) {
  const Clock::TimePoint zero{};
  const Json json =
      Json::parse(timing_report_json(timing(), {{"spec", zero, zero + microseconds(1234)}}));
  ASSERT_EQ(json["services"].size(), 4U);
  EXPECT_EQ(json["services"][2]["service"], "web");
  EXPECT_EQ(json["services"][2]["waits_ms"], 10.0);
  EXPECT_EQ(json["services"][2]["ready_ms"], 6.0);
  EXPECT_EQ(json["services"][2]["total_ms"], 16.0);
  EXPECT_FALSE(json["services"][2].contains("clone_ms"));
  EXPECT_FALSE(json["services"][2]["earlier"]);
  EXPECT_EQ(json["longest_chain"][0]["service"], "db");
  EXPECT_EQ(json["longest_chain"][0]["ms"], 10.0);
  EXPECT_EQ(json["command"]["spec_ms"], 1.234);
  EXPECT_EQ(json["command"]["total_ms"], 1.234);
}

TEST_F(TimingTest, TravelsBetweenProcessesUnchanged) {
  const Timing before = timing();
  const Timing after = timing_from_json(to_json(before));
  EXPECT_EQ(timing_text(after, {}), timing_text(before, {}));
  ASSERT_EQ(after.spans.size(), before.spans.size());
  for (std::size_t i = 0; i < after.spans.size(); ++i) {
    EXPECT_EQ(after.spans[i].track, before.spans[i].track);
    EXPECT_EQ(after.spans[i].begin, before.spans[i].begin);
    EXPECT_EQ(after.spans[i].end, before.spans[i].end);
  }
}

TEST_F(TimingTest, NonsenseIsAnError) {
  EXPECT_THROW(timing_from_json("{}"), Error);
  EXPECT_THROW(timing_from_json(R"({"services":[1],"chain":[],"spans":[]})"), Error);
  EXPECT_THROW(timing_from_json("["), Error);
}

}  // namespace
}  // namespace isoenv::test
