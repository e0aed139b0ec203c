#include "plan/exec_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/plan/plan_case.h"

namespace isoenv {
namespace {

using ::testing::HasSubstr;

EnvironmentSpec spec_with_line(const std::string& service, std::size_t length) {
  EnvironmentSpec spec = spec_of("\"user\": {" + service + "}");
  spec.lines = {std::string(length, 'x')};
  return spec;
}

TEST(ExecLimitsTest, RefusesATextThatGrewTooLongForAnArgument) {
  const std::string twice = R"("command": ["x", "{{line.1}}{{line.1}}"])";
  EXPECT_EQ(plan_faults(spec_with_line(twice, 65'535)), "");
  EXPECT_EQ(plan_faults(spec_with_line(twice, 65'536)),
            "services.user.command[1]: the text is too long once rendered; the most is 131071 "
            "bytes");
}

TEST(ExecLimitsTest, StopsRenderingWhatGrowsWithoutEnd) {
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += "{{line.1}}";
  const std::string faults =
      plan_faults(spec_with_line(R"("command": ["x", ")" + text + "\"]", std::size_t{100} << 20U));
  EXPECT_EQ(faults,
            "services.user.command[1]: the text is too long once rendered; the most is 131071 "
            "bytes");
}

TEST(ExecLimitsTest, CountsTheNameOfAVariableWithItsValue) {
  const std::string env = R"("command": ["x"], "env": {"NAME": "{{line.1}}"})";
  EXPECT_EQ(plan_faults(spec_with_line(env, 131'066)), "");
  EXPECT_THAT(plan_faults(spec_with_line(env, 131'067)),
              HasSubstr("services.user.env.NAME: the variable with its value has 131072 bytes"));
}

TEST(ExecLimitsTest, RefusesMoreArgumentsThanAProgramCanBeGiven) {
  std::string arguments;
  for (int i = 0; i < 11; ++i) arguments += R"(, "{{line.1}}")";
  EXPECT_EQ(plan_faults(spec_with_line(R"("command": ["x")" + arguments + "]", 100'000)),
            "services.user: the program's arguments and variables take more than 1048576 bytes; "
            "pass them in a file");
  EXPECT_THAT(plan_faults(spec_with_line(
                  R"("command": ["x"], "ready": [{"exec": ["x")" + arguments + "]}]", 100'000)),
              HasSubstr("services.user.ready[0]: the program's arguments"));
}

TEST(ExecLimitsTest, RefusesAPathLongerThanAPathCanBe) {
  EXPECT_THAT(
      plan_faults(spec_with_line(R"("command": ["x"], "working_directory": "/{{line.1}}")", 4095)),
      HasSubstr("services.user.working_directory: the path has 4096 bytes"));
  EXPECT_THAT(
      plan_faults(spec_with_line(R"("command": ["x"], "ready": [{"file": "/{{line.1}}"}])", 4095)),
      HasSubstr("services.user.ready[0]: the path has 4096 bytes"));
}

}  // namespace
}  // namespace isoenv
