// What becomes of the output of services: raw per service, merged per instance, followed.
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class LogsTest : public SystemTest {
 protected:
  std::string raw_log(const std::string& service) const {
    return read_file(artefact_dir() / "latest" / (service + ".log"));
  }
  std::string merged_log() const { return read_file(artefact_dir() / "latest" / "isoenv.log"); }
};

/// The texts after `HH:MM:SS.uuuuuu SERVICE |` of each service; every line must have that form.
std::map<std::string, std::vector<std::string>> lines_by_service(const std::string& merged) {
  static const std::regex kForm(R"(\d\d:\d\d:\d\d\.\d{6} ([a-z0-9-]+) *\| ?([^]*))");
  std::map<std::string, std::vector<std::string>> lines;
  std::istringstream stream(merged);
  std::string line;
  while (std::getline(stream, line)) {
    std::smatch match;
    if (std::regex_match(line, match, kForm)) {
      lines[match[1]].push_back(match[2]);
    } else {
      ADD_FAILURE() << "a line of another form: " << line;
    }
  }
  return lines;
}

TEST_F(LogsTest, KeepEveryByteOfAServiceFromTheFirst) {
  const auto spec = write_spec(R"("services": {"talks": {"command": ["test_service", "writes",
      "first\n", "err:second\n", "\\x00\\xff\\x1b[31m\n", "no end of line", "then", "creates_file", "said", "then", "waits"],
      "ready": [{"file": "said"}]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_EQ(raw_log("talks"), std::string("first\nsecond\n\0\xff\x1b[31m\nno end of line", 35));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(LogsTest, MergeLinesWithTimeAndName) {
  const auto spec = write_spec(R"("services": {
    "one": {"command": ["test_service", "writes", "hello from one\n", "then", "waits"],
            "ready": [{"log": "hello"}]},
    "two": {"command": ["test_service", "writes", "err:hello from two\n", "then", "waits"],
            "ready": [{"log": "hello"}], "depends": ["one"]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  ASSERT_THAT(down(spec), ExitedWith(0));
  auto lines = lines_by_service(merged_log());
  EXPECT_THAT(lines["one"], ::testing::ElementsAre("hello from one"));
  EXPECT_THAT(lines["two"], ::testing::ElementsAre("hello from two"));
}

TEST_F(LogsTest, NeverMixTheLinesOfTwoNoisyServices) {
  const auto spec = write_spec(R"("tasks": {
    "a": {"command": ["test_service", "writes_flat_out", "a", "5000"]},
    "b": {"command": ["test_service", "writes_flat_out", "b", "5000"]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  ASSERT_THAT(down(spec), ExitedWith(0));
  auto lines = lines_by_service(merged_log());
  for (const char letter : {'a', 'b'}) {
    const std::string service(1, letter);
    ASSERT_EQ(lines[service].size(), 5000U);
    std::string raw;
    for (std::size_t i = 0; i < lines[service].size(); ++i) {
      ASSERT_EQ(lines[service][i], std::string(1 + i * 7 % 300, letter)) << "line " << i;
      raw += lines[service][i] + "\n";
    }
    EXPECT_EQ(raw_log(service), raw);
  }
}

TEST_F(LogsTest, HoldWhatAServiceSaidBeforeItDied) {
  const auto spec = write_spec(R"("services": {"dies": {"command": ["test_service", "writes",
      "err:last words", "then", "crashes", "segv"], "ports": {"main": 80}}})");
  const Outcome outcome = up(spec);
  ASSERT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("last words"), HasSubstr("SIGSEGV")));
  EXPECT_EQ(raw_log("dies"), "last words");
  EXPECT_THAT(merged_log(), HasSubstr("| last words\n"));
}

TEST_F(LogsTest, HoldWhatAServiceSaysWhileItStops) {
  const auto spec = write_spec(R"("services": {"tidy": {"command": ["sh", "-c",
      "trap 'echo saved; exit 0' TERM; echo up; while :; do sleep 0.01; done"],
      "ready": [{"log": "up"}]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  ASSERT_THAT(down(spec), ExitedWith(0));
  EXPECT_EQ(raw_log("tidy"), "up\nsaved\n");
}

TEST_F(LogsTest, StayOfEachInstanceAndLatestLeadsToTheNewest) {
  const auto spec = write_spec(R"("tasks": {"says": {"command": ["sh", "-c", "cat word"]}})");
  for (const char* word : {"first", "second"}) {
    write_file("word", word);
    ASSERT_THAT(up(spec), ExitedWith(0));
    ASSERT_THAT(down(spec), ExitedWith(0));
    EXPECT_EQ(raw_log("says"), word);
  }
  int directories = 0;
  for (const auto& entry : std::filesystem::directory_iterator(artefact_dir())) {
    directories += entry.is_directory() && !entry.is_symlink() ? 1 : 0;
  }
  EXPECT_EQ(directories, 2);
}

TEST_F(LogsTest, ArePrintedMergedOrOfSomeServices) {
  const auto spec = write_spec(R"("tasks": {
    "one": {"command": ["test_service", "writes", "from one\n"]},
    "two": {"command": ["test_service", "writes", "from two\n"]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  const Outcome all = isoenv({"logs", "--file", spec});
  ASSERT_THAT(all, ExitedWith(0));
  EXPECT_THAT(all.out, AllOf(HasSubstr("| from one\n"), HasSubstr("| from two\n")));
  const Outcome one = isoenv({"logs", "--file", spec, "one"});
  ASSERT_THAT(one, ExitedWith(0));
  EXPECT_THAT(one.out, AllOf(HasSubstr("| from one\n"), Not(HasSubstr("from two"))));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(LogsTest, NameAServiceThatThereIsNot) {
  const auto spec =
      write_spec(R"("services": {"gateway": {"command": ["test_service", "waits"]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  const Outcome outcome = isoenv({"logs", "--file", spec, "gatway"});
  EXPECT_THAT(outcome, ExitedWith(2));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("'gatway'"), HasSubstr("'gateway'")));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(LogsTest, AreFollowedUntilTheInstanceEnds) {
  Gate gate = make_gate();
  const auto spec = write_spec(R"("services": {"talks": {"command": ["test_service", "writes",
      "early\n", "then", "waits_for", "gate", "then", "writes", "late\n", "then", "waits"],
      "ready": [{"log": "early"}]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  Process follower = start_isoenv({"logs", "--file", spec, "--follow"});
  ASSERT_TRUE(follower.wait_for_output("early"));
  ASSERT_TRUE(gate.open());
  ASSERT_TRUE(follower.wait_for_output("late"));
  EXPECT_FALSE(follower.ended());
  ASSERT_THAT(down(spec), ExitedWith(0));
  const Outcome outcome = follower.wait();
  EXPECT_THAT(outcome, ExitedWith(0));
  EXPECT_EQ(outcome.err, "");
}

TEST_F(LogsTest, AreFollowedUntilTheKeeperIsKilled) {
  const auto spec = write_spec(R"("services": {"talks": {"command": ["test_service", "writes",
      "early\n", "then", "waits"], "ready": [{"log": "early"}]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  Process follower = start_isoenv({"logs", "--file", spec, "-f"});
  ASSERT_TRUE(follower.wait_for_output("early"));
  ::kill(keeper(), SIGKILL);
  EXPECT_THAT(follower.wait(), ExitedWith(0));
}

}  // namespace
}  // namespace isoenv::test
