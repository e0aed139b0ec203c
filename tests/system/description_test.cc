// What `isoenv env` tells, and what `ps`, `env` and `logs` tell a program inside the instance.
#include <nlohmann/json.hpp>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kServices[] = R"("services": {
    "web": {"command": ["test_service", "writes", "hello\n", "then", "tcp_echo", "*", "80", "web: "],
            "ports": {"http": 80, "stats": "8125/udp"}, "ready": [{"tcp": "http"}]}})";

class DescriptionTest : public SystemTest {
 protected:
  Outcome isoenv_inside(const std::filesystem::path& spec, const Words& words) const {
    Words all = {"exec", "-f", spec, "--", ISOENV_EXECUTABLE};
    all.insert(all.end(), words.begin(), words.end());
    return isoenv(all);
  }
};

TEST_F(DescriptionTest, TellsHostPortsUrlsAndLogOfAService) {
  const auto spec = write_spec(kServices);
  ASSERT_THAT(up(spec), ExitedWith(0));
  const Outcome outcome = isoenv({"env", "-f", spec, "--json"});
  ASSERT_THAT(outcome, ExitedWith(0));
  const json told = json::parse(outcome.out);
  EXPECT_EQ(told["version"], 1);
  EXPECT_EQ(told["spec_file"], spec.string());
  EXPECT_EQ(told["variables"]["ISOENV_WEB_PORT"], "80");
  const json web = told["services"][0];
  EXPECT_EQ(web["service"], "web");
  EXPECT_EQ(web["host"], "web");
  EXPECT_EQ(web["ports"][0], json::parse(R"({"name":"http","number":80,"protocol":"tcp",
                                             "url":"http://web:80"})"));
  EXPECT_EQ(web["ports"][1], json::parse(R"({"name":"stats","number":8125,"protocol":"udp"})"));
  EXPECT_THAT(read_file(web["log"].get<std::string>()), HasSubstr("hello"));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(DescriptionTest, IsLinesOfVariablesForPeople) {
  const auto spec = write_spec(kServices);
  ASSERT_THAT(up(spec), ExitedWith(0));
  const Outcome outcome = isoenv({"env"});
  EXPECT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("ISOENV_WEB_URL=http://web:80\n"), HasSubstr("\nISOENV_INSTANCE=")));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(DescriptionTest, NeedsAnInstanceThatIsUp) {
  const Outcome outcome = isoenv({"env", "--json"});
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("no instance is up"));
}

TEST_F(DescriptionTest, InsideIsThatOfTheInstanceAround) {
  const auto spec = write_spec(kServices);
  const auto other = write_spec(kServices, "other.json");
  ASSERT_THAT(up(spec), ExitedWith(0));
  ASSERT_THAT(up(other), ExitedWith(0));
  const Outcome env = isoenv_inside(other, {"env", "--json"});
  ASSERT_THAT(env, ExitedWith(0));
  EXPECT_EQ(json::parse(env.out)["spec_file"], other.string());
  const Outcome ps = isoenv_inside(spec, {"ps", "--json"});
  ASSERT_THAT(ps, ExitedWith(0));
  EXPECT_EQ(json::parse(ps.out)[0]["state"], "ready");
  EXPECT_THAT(isoenv_inside(spec, {"logs", "web"}).out, HasSubstr("| hello"));
  // One that is not around is not there at all.
  EXPECT_THAT(isoenv_inside(spec, {"ps", "-f", other}), Not(ExitedWith(0)));
  EXPECT_THAT(down(spec), ExitedWith(0));
  EXPECT_THAT(down(other), ExitedWith(0));
}

TEST_F(DescriptionTest, InsideARunIsThatOfTheRun) {
  const auto spec = write_spec(kServices);
  const Outcome outcome = isoenv({"run", "-f", spec, "--", ISOENV_EXECUTABLE, "env"});
  EXPECT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(outcome.out, HasSubstr("ISOENV_WEB_HOST=web\n"));
}

}  // namespace
}  // namespace isoenv::test
