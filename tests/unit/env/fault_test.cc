#include "env/fault.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace isoenv {
namespace {

using std::chrono::milliseconds;

/// Why a fault is refused, and what to do.
std::string refusal(const std::string& text) {
  try {
    parse_fault(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    return error.what() + ("; " + error.hint());
  }
  return "";
}

TEST(ScheduledFaultTest, HasAnActionAServiceAndADelay) {
  const ScheduledFault fault = parse_fault("restart:order@1s");
  EXPECT_EQ(fault.kind, FaultKind::kRestart);
  EXPECT_EQ(fault.service, "order");
  EXPECT_EQ(fault.delay, milliseconds(1000));
  EXPECT_FALSE(fault.duration);
  EXPECT_EQ(fault.text, "restart:order@1s");
}

TEST(ScheduledFaultTest, MayLast) {
  EXPECT_EQ(parse_fault("pause:order@200ms+1s").duration, milliseconds(1000));
  EXPECT_EQ(parse_fault("stop:order@0ms+2m").duration, milliseconds(120'000));
  EXPECT_EQ(parse_fault("kill:order@0s+5ms").duration, milliseconds(5));
}

TEST(ScheduledFaultTest, KillsWithAnySignal) {
  EXPECT_EQ(parse_fault("kill:order@0s").signal, SIGKILL);
  EXPECT_EQ(parse_fault("kill=SIGTERM:order@0s").signal, SIGTERM);
  EXPECT_EQ(parse_fault("kill=HUP:order@0s").signal, SIGHUP);
}

TEST(ScheduledFaultTest, IsRefusedWhenItIsMisspelt) {
  EXPECT_THAT(refusal("puase:order@1s"),
              ::testing::HasSubstr("no action 'puase'; did you mean 'pause'?"));
  EXPECT_THAT(refusal("pause"), ::testing::HasSubstr("it has no ':'"));
  EXPECT_THAT(refusal("pause:order"), ::testing::HasSubstr("it has no '@'"));
  EXPECT_THAT(refusal("pause:@1s"), ::testing::HasSubstr("it names no service"));
  EXPECT_THAT(refusal("pause:order@1"), ::testing::HasSubstr("its delay is '1'"));
  EXPECT_THAT(refusal("pause:order@1s+"), ::testing::HasSubstr("its duration is ''"));
  EXPECT_THAT(refusal("pause:order@1s+2"), ::testing::HasSubstr("its duration is '2'"));
  EXPECT_THAT(refusal("pause:order@2000m"), ::testing::HasSubstr("longer than a day"));
  EXPECT_THAT(refusal("pause=SIGTERM:order@1s"), ::testing::HasSubstr("only 'kill' has a signal"));
  EXPECT_THAT(refusal("restart:order@1s+1s"), ::testing::HasSubstr("'restart' has no duration"));
  EXPECT_THAT(refusal("kill=SIGTREM:order@1s"), ::testing::HasSubstr("did you mean 'SIGTERM'?"));
  EXPECT_THAT(refusal("kill=SIGSTOP:order@1s"), ::testing::HasSubstr("'isoenv pause'"));
}

TEST(FaultReportTest, SurvivesTheWay) {
  const FaultReport report{
      {{"db", "paused"}}, {{"web", "gone", {"why"}, {"line"}, "/log"}}, {"odd"}};
  const FaultReport back = fault_report_from_json(to_json(report));
  ASSERT_EQ(back.effects.size(), 1U);
  EXPECT_EQ(back.effects[0].service, "db");
  EXPECT_EQ(back.effects[0].what, "paused");
  ASSERT_EQ(back.failures.size(), 1U);
  EXPECT_EQ(back.failures[0].what, "gone");
  EXPECT_EQ(back.failures[0].log, "/log");
  EXPECT_THAT(back.problems, ::testing::ElementsAre("odd"));
  EXPECT_EQ(effects_text(back), "db: paused\nodd\n");
}

}  // namespace
}  // namespace isoenv
