// SECRET_ENV: who gets a secret, and that nobody else ever sees it.
#include <fstream>
#include <sstream>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kToken[] = "hunter2-is-no-password";
constexpr char kKey[] = "-----BEGIN-----\nMIIBVQIBADANBgkq\nx/y\n-----END-----";

class SecretsTest : public SystemTest {
 protected:
  SecretsTest() {
    options().env.emplace("API_TOKEN", kToken);
    options().env.emplace("API_KEY", kKey);
  }

  static bool tells(const std::string& text) {
    return text.find(kToken) != std::string::npos || text.find("hunter2") != std::string::npos ||
           text.find("MIIBVQ") != std::string::npos;
  }

  static void expect_silence(const Outcome& outcome) {
    EXPECT_FALSE(tells(outcome.out)) << outcome;
    EXPECT_FALSE(tells(outcome.err)) << outcome;
  }

  /// Every file below, by what it holds and by its name.
  void expect_silence(const fs::path& directory) const {
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
      EXPECT_FALSE(tells(entry.path().string())) << entry.path();
      if (!entry.is_regular_file() || entry.is_symlink()) continue;
      EXPECT_FALSE(tells(read_file(entry.path()))) << entry.path();
    }
  }

  void expect_silence_everywhere(const fs::path& spec) const {
    for (const Words& words :
         {Words{"ps", "-f", spec}, Words{"ps", "-f", spec, "--json"}, Words{"check", "-f", spec},
          Words{"check", "-f", spec, "--json"}, Words{"logs", "--file", spec}}) {
      expect_silence(isoenv(words));
    }
    expect_silence(artefact_dir());
    expect_silence(runtime_dir());
    expect_silence(dir() / "state");
  }

  std::string latest(const std::string& file) const {
    return read_file(artefact_dir() / "latest" / file);
  }
};

TEST_F(SecretsTest, ReachTheServicesThatNameThemAndNoOther) {
  const auto spec = write_spec(R"("services": {
    "clean": {"command": ["sh", "-c", "echo ${#API_TOKEN} ${#API_KEY}; exec test_service waits"],
              "env_mode": "clean", "secret_env": ["API_TOKEN"], "ready": [{"log": "."}]},
    "heir": {"command": ["sh", "-c", "echo ${#API_TOKEN} ${#API_KEY}; exec test_service waits"],
             "secret_env": ["API_KEY"], "ready": [{"log": "."}]},
    "none": {"command": ["sh", "-c", "echo ${#API_TOKEN} ${#API_KEY}; exec test_service waits"],
             "ready": [{"log": "."}]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_EQ(latest("clean.log"), std::to_string(sizeof kToken - 1) + " 0\n");
  EXPECT_EQ(latest("heir.log"), "0 " + std::to_string(sizeof kKey - 1) + "\n");
  EXPECT_EQ(latest("none.log"), "0 0\n");
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(SecretsTest, StandNowhereWhileServicesAreUp) {
  const auto spec = write_spec(R"("services": {
    "talks": {"command": ["sh", "-c",
        "echo \"token $API_TOKEN\"; echo \"$API_KEY\" >&2; printf 'no end %s' \"$API_TOKEN\"; exec test_service creates_file said then waits"],
      "secret_env": ["API_TOKEN", "API_KEY"], "ready": [{"file": "said"}, {"log": "token \\*\\*\\*"}]}})");
  const Outcome outcome = up(spec, {"--json"});
  ASSERT_THAT(outcome, ExitedWith(0));
  expect_silence(outcome);
  EXPECT_EQ(latest("talks.log"), "token ***\n***\n***\nx/y\n***\nno end ***");
  expect_silence_everywhere(spec);
  expect_silence(down(spec));
  expect_silence_everywhere(spec);
}

TEST_F(SecretsTest, AreFoundWhereverOutputIsSplit) {
  // 5,000 times in pieces of one write each, then in blocks that no pipe and no read ends with.
  const auto spec = write_spec(R"("tasks": {"splits": {"command": ["sh", "-c",
      "end=${API_TOKEN#????????}; i=0; while [ $i -lt 5000 ]; do printf %s ${API_TOKEN%$end}; printf '%s ' $end; i=$((i+1)); done; echo; yes \"$API_TOKEN\" | head -n 50000"],
      "secret_env": ["API_TOKEN"]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  std::string expected;
  for (int i = 0; i < 5000; ++i) expected += "*** ";
  expected += "\n";
  for (int i = 0; i < 50000; ++i) expected += "***\n";
  EXPECT_TRUE(latest("splits.log") == expected);
  expect_silence_everywhere(spec);
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(SecretsTest, StandInNoFailure) {
  const auto spec = write_spec(R"("services": {
    "dies": {"command": ["sh", "-c", "echo last words: $API_TOKEN; exit 3"],
             "secret_env": ["API_TOKEN"], "ready": [{"log": "never"}]},
    "asked": {"command": ["test_service", "waits"], "secret_env": ["API_TOKEN"],
              "ready": [{"exec": ["sh", "-c", "echo probe: $API_TOKEN; exit 1"]}],
              "ready_timeout": "300ms"},
    "notes": {"command": ["sh", "-c",
                 "exec test_service notifies \"STATUS=with $API_TOKEN\" then waits"],
              "secret_env": ["API_TOKEN"], "ready": [{"notify": true}], "ready_timeout": "300ms"}})");
  for (const Words& words : {Words{}, Words{"--json"}}) {
    const Outcome outcome = up(spec, words);
    ASSERT_THAT(outcome, ExitedWith(1));
    expect_silence(outcome);
    EXPECT_THAT(outcome.out + outcome.err,
                AllOf(HasSubstr("last words: ***"), HasSubstr("probe: ***"),
                      HasSubstr("its status is 'with ***'")));
    expect_silence_everywhere(spec);
  }
}

TEST_F(SecretsTest, AreNotToldByTheEndOfALongProbeOutput) {
  // Cut anywhere, the last 2 KiB begin inside a secret for one length or another.
  for (const int length : {0, 5, 10, 15}) {
    const auto spec = write_spec(R"("services": {"asked": {"command": ["test_service", "waits"],
        "secret_env": ["API_TOKEN"], "ready_timeout": "1ms", "ready": [{"exec": ["sh", "-c",
        "for i in $(seq 200); do printf %s $API_TOKEN; done; printf %)" +
                                 std::to_string(length) + R"(s x; exit 1"]}]}})");
    const Outcome outcome = up(spec);
    ASSERT_THAT(outcome, ExitedWith(1));
    for (std::size_t begin = 0; begin + 8 < sizeof kToken; ++begin) {
      EXPECT_EQ(outcome.err.find(std::string(kToken).substr(begin, 8)), std::string::npos)
          << outcome.err;
    }
  }
}

TEST_F(SecretsTest, OfOneServiceAreMaskedInTheOutputOfAnother) {
  const auto spec = write_spec(R"("services": {
    "has": {"command": ["sh", "-c", "echo $API_TOKEN > passed; exec test_service waits"],
            "secret_env": ["API_TOKEN"], "ready": [{"file": "passed"}]}},
    "tasks": {"reads": {"command": ["cat", "passed"], "depends": ["has"]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_EQ(latest("reads.log"), "***\n");
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(SecretsTest, AreAFaultBeforeAnythingStartsWhenTheyAreNotSetOrTooShort) {
  options().env.emplace("SHORT", "abc");
  const auto spec = write_spec(R"("services": {
    "a": {"command": ["test_service", "waits"], "secret_env": ["API_TOKEN", "NOT_THERE"]},
    "b": {"command": ["test_service", "waits"], "secret_env": ["SHORT"]}})");
  for (const Words& words :
       {Words{"up", "-f", spec, "--artefacts", artefact_dir(), "--owner", "none"},
        Words{"run", "-f", spec, "--artefacts", artefact_dir(), "--", "true"}}) {
    const Outcome outcome = isoenv(words);
    ASSERT_THAT(outcome, ExitedWith(2));
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("services.a.secret_env: the environment does not set "
                                             "'NOT_THERE'"),
                                   HasSubstr("services.b.secret_env: the value of 'SHORT' is too "
                                             "short for a secret"),
                                   Not(HasSubstr("API_TOKEN"))));
    EXPECT_FALSE(fs::exists(artefact_dir() / "latest"));
    EXPECT_TRUE(processes().empty());
  }
}

}  // namespace
}  // namespace isoenv::test
