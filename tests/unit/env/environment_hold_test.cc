// Services that are paused before their program is executed.
#include "environment_case.h"

namespace isoenv::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// db ← user ← web, and alone.
class EnvironmentHoldTest : public EnvironmentCase {
 protected:
  void SetUp() override {
    add_service("db");
    add_service("user", {{"db", Need::kStarted}});
    add_service("web", {{"user"}});
    add_service("alone");
  }
  UpReport up_paused(const std::string& service) {
    const Call<UpReport> call =
        spawn(executor(), environment().up_paused({}, {plan().find(service)}));
    settle();
    EXPECT_TRUE(call->has_value());
    return call->value_or(UpReport{});
  }
};

TEST_F(EnvironmentHoldTest, ReturnsWithoutThemAndWithoutWhatNeedsThem) {
  const UpReport report = up_paused("db");
  EXPECT_THAT(texts(report), IsEmpty());
  ASSERT_EQ(report.paused.size(), 1u);
  EXPECT_EQ(report.paused[0].service, "db");
  EXPECT_EQ(report.paused[0].pid, FakeBackend::first_pid(0));
  EXPECT_THAT(report.waiting, ElementsAre("user", "web"));
  EXPECT_EQ(state("alone"), ServiceState::kReady);
  EXPECT_THAT(status("db").readiness, HasSubstr("'isoenv resume db' lets it go on"));
  EXPECT_THAT(backend().calls(), Not(Contains("start user")));
  EXPECT_FALSE(environment().had_failures());
}

TEST_F(EnvironmentHoldTest, GoOnWhenTheyAreResumed) {
  up_paused("db");
  EXPECT_THAT(effects(act(FaultKind::kResume, {"db"})), ElementsAre("db: ready after 0 ms"));
  settle();
  EXPECT_EQ(state("web"), ServiceState::kReady);
  EXPECT_THAT(backend().events(), Contains("db: let go by somebody"));
}

TEST_F(EnvironmentHoldTest, GoOnByThemselvesWhenADebuggerLetsThem) {
  up_paused("user");
  EXPECT_EQ(state("db"), ServiceState::kReady);
  backend().go_on("user");
  settle();
  EXPECT_EQ(state("user"), ServiceState::kReady);
  EXPECT_EQ(state("web"), ServiceState::kReady);
}

TEST_F(EnvironmentHoldTest, MakeAPlainUpWaitForThem) {
  up_paused("db");
  const Call<UpReport> call = ask_up({});
  settle();
  EXPECT_FALSE(call->has_value());
  backend().go_on("db");
  settle();
  ASSERT_TRUE(call->has_value());
  EXPECT_THAT(texts(**call), IsEmpty());
}

TEST_F(EnvironmentHoldTest, TellWhenTheirProgramCannotBeExecuted) {
  backend().script("db").release = NotStarted{"cannot execute 'db'"};
  up_paused("db");
  act(FaultKind::kResume, {"db"});
  settle();
  EXPECT_EQ(failure("db"), "cannot execute 'db'");
  EXPECT_THAT(failure("web"), HasSubstr("which failed"));
}

TEST_F(EnvironmentHoldTest, AreTakenDownWithoutAFailure) {
  up_paused("db");
  down({"db"});
  EXPECT_EQ(state("db"), ServiceState::kDown);
  EXPECT_FALSE(environment().had_failures());
}

TEST_F(EnvironmentHoldTest, ArePausedOnceOnly) {
  up_paused("db");
  down({"db"});
  EXPECT_THAT(texts(up({"db"})), IsEmpty());
  EXPECT_EQ(backend().count("hold db"), 1);
}

TEST_F(EnvironmentHoldTest, CannotBePausedWhenTheyRunAlready) {
  EXPECT_THAT(texts(up({"db"})), IsEmpty());
  const auto pause = [&] {
    boost::asio::co_spawn(executor(), environment().up_paused({}, {plan().find("db")}),
                          [](std::exception_ptr error, UpReport) {
                            if (error) std::rethrow_exception(error);
                          });
    settle();
  };
  EXPECT_THROW(pause(), Error);
}

TEST_F(EnvironmentHoldTest, CanBeNeitherKilledNorPausedAgain) {
  up_paused("db");
  for (const FaultKind kind : {FaultKind::kKill, FaultKind::kPause}) {
    EXPECT_THROW(act(kind, {"db"}), Error);
  }
}

}  // namespace
}  // namespace isoenv::test
