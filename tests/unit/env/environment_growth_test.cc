// What a service costs the environment does not depend on how many others there are. Counted are
// the handlers that the executor runs: every wake-up of a coroutine is at least one.
#include <string>
#include <vector>

#include "environment_case.h"

namespace isoenv::test {
namespace {

constexpr int kServices = 1000;
constexpr int kMostPerService = 6;  // for its own steps, whatever the others do

class EnvironmentGrowthTest : public EnvironmentCase {
 protected:
  static std::string name_of(int service) { return "s" + std::to_string(service); }

  template <typename Call>
  void expect_few_steps(const Call& call) {
    int steps = 0;
    while (take_one_step()) ++steps;
    EXPECT_TRUE(call->has_value());
    EXPECT_LE(steps, kServices * kMostPerService);
  }

  void expect_few_steps_up_and_down() {
    for (int service = 0; service < kServices; ++service)
      backend().hold(name_of(service), Step::kReadiness);
    const Call<UpReport> call = begin_up({});
    backend().release_all();
    expect_few_steps(call);
    EXPECT_EQ(backend().running().size(), static_cast<std::size_t>(kServices));
    expect_few_steps(ask_down_all());
  }
};

TEST_F(EnvironmentGrowthTest, WakesAServiceAsOftenWithAThousandBesideIt) {
  for (int service = 0; service < kServices; ++service) add_service(name_of(service));
  expect_few_steps_up_and_down();
}

TEST_F(EnvironmentGrowthTest, WakesAServiceAsOftenWhenAThousandNeedOne) {
  add_service(name_of(0));
  for (int service = 1; service < kServices; ++service)
    add_service(name_of(service), {{name_of(0).c_str()}});
  expect_few_steps_up_and_down();
}

TEST_F(EnvironmentGrowthTest, WakesAServiceAsOftenInAChainOfAThousand) {
  add_service(name_of(0));
  for (int service = 1; service < kServices; ++service)
    add_service(name_of(service), {{name_of(service - 1).c_str()}});
  expect_few_steps_up_and_down();
}

TEST_F(EnvironmentGrowthTest, WakesAServiceAsOftenWhenAThousandWaitForEach) {
  add_service(name_of(0));
  for (int service = 1; service < kServices; ++service) add_service(name_of(service));
  std::vector<Call<UpReport>> calls;
  for (int service = 0; service < kServices; ++service) calls.push_back(ask_up({name_of(service)}));
  expect_few_steps(calls.back());
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
