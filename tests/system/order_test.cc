// Dependencies: who starts after whom, and what a failure holds back.
#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// Every service appends its name to the file `order` when it starts and when it stops.
class OrderTest : public SystemTest {
 protected:
  static std::string service(const std::string& name, const std::string& rest = {}) {
    return "\"" + name + R"(": {"command": ["sh", "-c",
        "echo +)" +
           name + " >> order; trap 'echo -" + name +
           R"( >> order; exit 0' TERM; : > $TMPDIR/up; while :; do sleep 0.01; done"],
        "ready": [{"file": "{{self.tmp}}/up"}])" +
           rest + "}";
  }
  static std::string task(const std::string& name, const std::string& rest = {}) {
    return "\"" + name + R"(": {"command": ["sh", "-c", "echo +)" + name + R"( >> order"])" + rest +
           "}";
  }
  std::string order() const { return read_file(dir() / "order"); }
};

TEST_F(OrderTest, StartsDependenciesFirstAndStopsThemLast) {
  const auto spec = write_spec(
      R"("services": {)" + service("gateway", R"(, "depends": ["order"])") + "," +
      service("order", R"(, "depends": {"user": "ready"})") + "," + service("user") + "}");
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_EQ(order(), "+user\n+order\n+gateway\n");
  ASSERT_THAT(down(spec), ExitedWith(0));
  EXPECT_EQ(order(), "+user\n+order\n+gateway\n-gateway\n-order\n-user\n");
}

TEST_F(OrderTest, CompletesATaskBeforeItsDependentsStart) {
  const auto spec = write_spec(R"("services": {)" + service("user") + "," +
                               service("order", R"(, "depends": {"seed": "completed"})") + R"(},
                 "tasks": {)" + task("seed", R"(, "depends": ["user"])") +
                               "}");
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_EQ(order(), "+user\n+seed\n+order\n");
  ASSERT_THAT(down(spec), ExitedWith(0));
  EXPECT_EQ(order(), "+user\n+seed\n+order\n-order\n-user\n");
}

TEST_F(OrderTest, RunsATaskOnceHoweverOftenUpIsCalled) {
  const auto spec = write_spec(R"("services": {)" + service("one", R"(, "depends": ["seed"])") +
                               R"(}, "tasks": {)" + task("seed") + "}");
  for (int i = 0; i < 3; ++i) ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_EQ(order(), "+seed\n+one\n");
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(OrderTest, StartsOnlyWhatWasAskedForAndWhatThatNeeds) {
  const auto spec = write_spec(R"("services": {)" + service("user") + "," + service("idle") + "," +
                               service("order", R"(, "depends": ["user"])") + "}");
  ASSERT_THAT(up(spec, {"order"}), ExitedWith(0));
  EXPECT_EQ(order(), "+user\n+order\n");
  ASSERT_THAT(up(spec, {"idle"}), ExitedWith(0));
  EXPECT_EQ(order(), "+user\n+order\n+idle\n");
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(OrderTest, LetsADependentGoOnAfterTheStartAlone) {
  const Gate gate = make_gate();
  const auto spec = write_spec(R"("services": {
    "slow": {"command": ["test_service", "waits_for", "gate", "then", "creates_file", "done", "then", "waits"],
             "ready": [{"file": "done"}]},
    "opener": {"command": ["sh", "-c", "echo > gate; exec test_service waits"],
               "depends": {"slow": "started"}}})");
  EXPECT_THAT(up(spec), ExitedWith(0));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(OrderTest, TellsThatATaskFailedAndStartsNothingThatNeedsIt) {
  const auto spec = write_spec(R"("services": {)" + service("order", R"(, "depends": ["seed"])") +
                               R"(}, "tasks": {"seed": {
      "command": ["test_service", "writes", "err:no such table\n", "then", "exits", "4"]}})");
  const Outcome outcome = up(spec);
  ASSERT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("  seed: "), HasSubstr("exit code 4"), HasSubstr("no such table")));
  EXPECT_FALSE(std::filesystem::exists(dir() / "order"));
}

TEST_F(OrderTest, AcceptsTheExitCodeThatATaskIsToEndWith) {
  const auto spec = write_spec(R"("tasks": {
    "check": {"command": ["test_service", "exits", "4"], "ready": [{"exit": 4}]}})");
  EXPECT_THAT(up(spec), ExitedWith(0));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(OrderTest, StopsWhatHadStartedWhenALaterServiceFails) {
  const auto spec = write_spec(R"("services": {)" + service("user") + R"(,
    "order": {"command": ["test_service", "exits", "1"], "depends": ["user"], "ready": [{"file": "never"}]}})");
  ASSERT_THAT(up(spec), ExitedWith(1));
  EXPECT_EQ(order(), "+user\n-user\n");
}

}  // namespace
}  // namespace isoenv::test
