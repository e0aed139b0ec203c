// `isoenv doctor` on a machine that grants what is needed.
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

class DoctorTest : public SystemTest {};

TEST_F(DoctorTest, SaysWhichRungItWillBe) {
  const Outcome outcome = isoenv({"doctor"});
  EXPECT_THAT(outcome, ExitedWith(0));
  const std::string rung = ::geteuid() == 0 ? "root" : "userns";
  EXPECT_THAT(outcome.out, HasSubstr("services can be isolated here: rung '" + rung + "'"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("refused")));
  EXPECT_EQ(outcome.err, "");
}

TEST_F(DoctorTest, TellsProgramsTheSame) {
  const Outcome outcome = isoenv({"doctor", "--json"});
  EXPECT_THAT(outcome, ExitedWith(0));
  const Json report = Json::parse(outcome.out, nullptr, false);
  ASSERT_TRUE(report.is_object()) << outcome;
  EXPECT_EQ(report["version"], 1);
  EXPECT_EQ(report["isolation"], "netns");
  EXPECT_EQ(report["rung"], ::geteuid() == 0 ? "root" : "userns");
  std::size_t tried = 0;
  for (const Json& finding : report["capabilities"]) {
    for (const char* key : {"name", "needed_for", "state", "detail"}) {
      EXPECT_TRUE(finding.contains(key)) << finding;
    }
    EXPECT_NE(finding["state"], "refused") << finding;
    tried += finding["state"] == "ok" ? 1 : 0;
  }
  EXPECT_GT(tried, 15U);
}

TEST_F(DoctorTest, NamesARunDirectoryThatIsTooLong) {
  options().env["ISOENV_RUNTIME_DIR"] = (dir() / std::string(100, 'x')).string();
  const Outcome outcome = isoenv({"doctor"});
  EXPECT_THAT(outcome, ExitedWith(77));
  EXPECT_THAT(outcome.out, HasSubstr("services cannot be isolated here"));
  EXPECT_THAT(outcome.out, HasSubstr("is too long for a unix socket inside"));
  EXPECT_THAT(outcome.out, HasSubstr("remedy  set ISOENV_RUNTIME_DIR to a shorter path"));
}

TEST_F(DoctorTest, WorksInsideAnInstance) {
  const Outcome outcome = isoenv({"run", "--", ISOENV_EXECUTABLE, "doctor"});
  EXPECT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(outcome.out, HasSubstr("services can be isolated here"));
}

TEST_F(DoctorTest, PrintsAnAppArmorProfileForItsOwnPath) {
  const Outcome outcome = isoenv({"doctor", "--apparmor-profile"});
  EXPECT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(outcome.out, AllOf(HasSubstr(std::string("profile isoenv \"") +
                                           std::filesystem::canonical(ISOENV_EXECUTABLE).string() +
                                           "\" flags=(unconfined) {"),
                                 HasSubstr("\n  userns,\n"),
                                 HasSubstr("apparmor_parser -r /etc/apparmor.d/isoenv")));
}

}  // namespace
}  // namespace isoenv::test
