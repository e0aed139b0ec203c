// What a service costs the environment does not depend on how many others there are. Counted are
// the handlers that the executor runs: every wake-up of a coroutine is at least one.
#include <string>
#include <vector>

#include "environment_case.h"

namespace isoenv::test {
namespace {

constexpr int kServices = 1000;
constexpr int kMostPerService = 10;  // for its own steps, whatever the others do

class EnvironmentGrowthTest : public EnvironmentCase {
 protected:
  static std::string name_of(int service) { return "s" + std::to_string(service); }

  void hold_all(Step step) {
    for (int service = 0; service < kServices; ++service) backend().hold(name_of(service), step);
  }

  /// Lets the held services go on one by one, so that each has its changes alone.
  template <typename Call>
  void expect_few_steps(const Call& call, Step step, bool backwards = false) {
    EXPECT_FALSE(call->has_value());
    int steps = 0;
    for (int turn = 0; turn < kServices; ++turn) {
      backend().release(name_of(backwards ? kServices - 1 - turn : turn), step);
      while (take_one_step()) ++steps;
    }
    EXPECT_TRUE(call->has_value());
    EXPECT_LE(steps, kServices * kMostPerService);
  }
};

TEST_F(EnvironmentGrowthTest, WakesAServiceAsOftenInAChainOfAThousand) {
  add_service(name_of(0));
  for (int service = 1; service < kServices; ++service)
    add_service(name_of(service), {{name_of(service - 1).c_str()}});
  hold_all(Step::kReadiness);
  expect_few_steps(begin_up({}), Step::kReadiness);
  hold_all(Step::kStop);
  expect_few_steps(begin_down({name_of(0)}), Step::kStop, /*backwards=*/true);
}

TEST_F(EnvironmentGrowthTest, WakesAServiceAsOftenWhenAThousandWaitForEach) {
  add_service(name_of(0));
  for (int service = 1; service < kServices; ++service) add_service(name_of(service));
  hold_all(Step::kReadiness);
  std::vector<Call<UpReport>> calls;
  for (int service = 0; service < kServices; ++service) calls.push_back(ask_up({name_of(service)}));
  settle();
  expect_few_steps(calls.back(), Step::kReadiness);
}

class EnvironmentTurnTest : public EnvironmentGrowthTest {
 protected:
  /// More than start at once; each start lasts until it is released.
  EnvironmentTurnTest() {
    for (int service = 0; service <= kLast; ++service) {
      add_service(name_of(service));
    }
    for (int service = 0; service <= kLast; ++service) {
      backend().hold(name_of(service), Step::kStart);
    }
  }

  static constexpr int kLast = 99;
};

TEST_F(EnvironmentTurnTest, StartsOneMoreForEachThatHasStarted) {
  const Call<UpReport> call = begin_up({});
  const std::size_t at_once = backend().calls().size();
  EXPECT_GT(at_once, 1U);
  EXPECT_LT(at_once, static_cast<std::size_t>(kLast));
  const std::string next = name_of(static_cast<int>(at_once));
  EXPECT_EQ(state(next), ServiceState::kWaiting);
  backend().release(name_of(1), Step::kStart);
  settle();
  EXPECT_THAT(backend().calls(), ::testing::Contains("start " + next));
  EXPECT_EQ(backend().count("start " + name_of(static_cast<int>(at_once) + 1)), 0);
  backend().release_all();
  settle();
  EXPECT_EQ(backend().running().size(), std::size_t{kLast} + 1);
}

TEST_F(EnvironmentTurnTest, NeverStartsWhatIsTakenDownWhileItWaitsForItsTurn) {
  const Call<UpReport> up = begin_up({});
  const Call<DownReport> down = begin_down({name_of(kLast)});
  backend().release_all();
  settle();
  EXPECT_EQ(backend().count("start " + name_of(kLast)), 0);
  EXPECT_EQ(state(name_of(kLast)), ServiceState::kDown);
  ASSERT_TRUE(up->has_value());
  EXPECT_THAT(texts(**up),
              ::testing::ElementsAre(name_of(kLast) + ": stopped before it was started"));
  EXPECT_TRUE(down->has_value());
}

}  // namespace
}  // namespace isoenv::test
