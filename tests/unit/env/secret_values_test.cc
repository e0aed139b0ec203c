#include "env/secret_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spec/parse.h"

namespace isoenv {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

EnvironmentSpec spec() {
  ParseResult result = parse_spec(R"({"version": 1, "environment": "shop",
      "services": {"user": {"command": ["x"], "secret_env": ["TOKEN", "KEY"]},
                   "other": {"command": ["x"], "secret_env": ["KEY"]}},
      "tasks": {"seed": {"command": ["x"], "secret_env": ["SALT"]}}})",
                                  "");
  return std::get<EnvironmentSpec>(std::move(result));
}

TEST(SecretValuesTest, HaveNoFaultWhenAllAreSet) {
  EXPECT_THAT(secret_faults(spec(), {{"TOKEN", "abcd"}, {"KEY", " x\n12345"}, {"SALT", "salt"}}),
              IsEmpty());
}

TEST(SecretValuesTest, ReportEveryFaultAtOnceAndNoValue) {
  EXPECT_EQ(render("", secret_faults(spec(), {{"TOKEN", "abc"}, {"SALT", ""}})),
            "services.user.secret_env: the value of 'TOKEN' is too short for a secret; it needs a "
            "line of at least 4 characters: what is shorter cannot be masked\n"
            "services.user.secret_env: the environment does not set 'KEY'; set it where 'isoenv' "
            "or 'ctest' is started\n"
            "services.other.secret_env: the environment does not set 'KEY'; set it where 'isoenv' "
            "or 'ctest' is started\n"
            "tasks.seed.secret_env: the value of 'SALT' is too short for a secret; it needs a line "
            "of at least 4 characters: what is shorter cannot be masked");
}

TEST(SecretValuesTest, AreTakenOutOfWhatServicesInherit) {
  const EnvironmentPlan plan = std::get<EnvironmentPlan>(make_plan(spec(), {}));
  Variables environment{{"PATH", "/bin"}, {"KEY", "k"}, {"HOME", "/"}, {"TOKEN", "t"}};
  EXPECT_THAT(take_secrets(plan, environment), ElementsAre(Pair("KEY", "k"), Pair("TOKEN", "t")));
  EXPECT_THAT(environment, ElementsAre(Pair("PATH", "/bin"), Pair("HOME", "/")));
}

}  // namespace
}  // namespace isoenv
