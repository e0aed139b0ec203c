// A hostile program inside a sandbox: what it tries, and what the kernel answers. Each attempt has
// its control: the same words succeed outside, or where they are meant to.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>
#include <string>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::SizeIs;
using ::testing::StartsWith;

using Attempts = std::vector<Words>;

/// `attempts A then attempts B`
Words behaviour(const Attempts& attempts) {
  Words words;
  for (const Words& attempt : attempts) {
    if (!words.empty()) words.emplace_back("then");
    words.emplace_back("attempts");
    words.insert(words.end(), attempt.begin(), attempt.end());
  }
  return words;
}

std::string json_words(const Words& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "\"" : ", \"") + word + "\"";
  return text;
}

/// The answers alone, in the order of the attempts.
std::vector<std::string> answers(const std::string& output) {
  std::vector<std::string> found;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos) found.push_back(line.substr(colon + 2));
  }
  return found;
}

class AttackerTest : public SystemTest {
 protected:
  /// A spec of an attacker, whose attempts are over when it is ready, and a victim.
  fs::path attacker_spec(const Attempts& attempts, const std::string& members = {},
                         const std::string& file = "lab.json") const {
    return write_spec(R"("services": {
      "victim": {"command": ["test_service", "tcp_echo", "*", "80", "victim: "],
                 "ports": {"http": 80}},
      "attacker": {"command": ["test_service", )" +
                          json_words(behaviour(attempts)) + R"(, "then", "writes", "all tried\n",
                               "then", "waits"],
                   "ready": [{"log": "^all tried$"}], "depends": ["victim"])" +
                          (members.empty() ? "" : ", " + members) + "}}",
                      file);
  }

  /// What a service of a new instance is answered.
  std::vector<std::string> from_service(const Attempts& attempts, const std::string& members = {}) {
    const fs::path spec = attacker_spec(attempts, members);
    EXPECT_THAT(up(spec), ExitedWith(0));
    const std::string log = read_file(artefact_dir() / "latest" / "attacker.log");
    EXPECT_THAT(down(spec), ExitedWith(0));
    const auto found = answers(log);
    EXPECT_THAT(found, SizeIs(attempts.size())) << log;
    return found;
  }

  std::vector<std::string> from_outside(const Attempts& attempts) const {
    const Outcome outcome = outside(behaviour(attempts));
    EXPECT_THAT(outcome, ExitedWith(0));
    return answers(outcome.out);
  }

  /// The run directory of the only instance that is not `other`.
  fs::path run_directory(const fs::path& other = {}) const {
    for (const auto& entry : fs::directory_iterator(runtime_dir())) {
      if (entry.path() != other) return entry.path();
    }
    ADD_FAILURE() << "no run directory";
    return {};
  }
};

TEST_F(AttackerTest, ReachesNothingThatListensOnTheHostsLoopback) {
  Process host(Words{"test_service", "listens_everywhere"}, options());
  ASSERT_TRUE(host.wait_for_output("listening\n"));
  Attempts attempts;
  std::istringstream lines(host.output_so_far());
  for (std::string kind, name, port; lines >> kind >> name && kind != "listening";) {
    if (kind == "unix") {
      attempts.push_back({kind, name});
    } else {
      lines >> port;
      attempts.push_back({kind, name, port});
    }
  }
  ASSERT_THAT(attempts, SizeIs(5));
  EXPECT_THAT(from_outside(attempts), Each(Eq("ok host")));
  EXPECT_THAT(from_service(attempts), Each(Eq("ECONNREFUSED")));
  const Outcome test = run_in(attacker_spec({{"list", "/"}}), behaviour(attempts));
  EXPECT_THAT(answers(test.out), Each(Eq("ECONNREFUSED"))) << test;
  host.send_signal(SIGTERM);
}

TEST_F(AttackerTest, FindsNoWayOutOfItsInstance) {
  // 192.0.2.0/24 and 2001:db8::/32 are for documentation: nobody is there (RFC 5737, RFC 3849).
  EXPECT_THAT(from_service({{"tcp", "192.0.2.1", "80"},
                            {"udp", "192.0.2.1", "53"},
                            {"tcp", "2001:db8::1", "80"},
                            {"tcp", "10.79.0.2", "80"}}),
              ElementsAre("ENETUNREACH", "ENETUNREACH", "ENETUNREACH", "ok victim: hello"));
}

TEST_F(AttackerTest, ReachesNoServiceOfAnotherInstance) {
  const fs::path other = write_spec(R"("services": {
      "first": {"command": ["test_service", "waits"]},
      "second": {"command": ["test_service", "waits"]},
      "third": {"command": ["test_service", "tcp_echo", "*", "81", "third: "],
                "ports": {"http": 81}}})",
                                    "other.json");
  ASSERT_THAT(up(other), ExitedWith(0));
  EXPECT_THAT(answers(exec_in(other, behaviour({{"tcp", "10.79.0.4", "81"}})).out),
              ElementsAre("ok third: hello"));
  // The addresses are the same in every instance, and lead nowhere else.
  EXPECT_THAT(from_service({{"tcp", "10.79.0.4", "81"}, {"tcp", "10.79.0.2", "81"}}),
              ElementsAre(AnyOf("EHOSTUNREACH", "EINPROGRESS"), "ECONNREFUSED"));
  EXPECT_THAT(down(other), ExitedWith(0));
}

TEST_F(AttackerTest, SeesNoOtherInstanceInTheRunRoot) {
  const fs::path other =
      write_spec(R"("services": {"one": {"command": ["test_service", "waits"]}})", "other.json");
  ASSERT_THAT(up(other), ExitedWith(0));
  const fs::path directory = run_directory();
  const Attempts attempts = {{"list", runtime_dir()},
                             {"unix", directory / "control"},
                             {"read", directory / "lease"},
                             {"write", directory / "lock"},
                             {"list", directory}};
  EXPECT_THAT(from_outside(attempts), Each(StartsWith("ok")));

  const fs::path spec = attacker_spec(attempts);
  ASSERT_THAT(up(spec), ExitedWith(0));
  const std::string own = run_directory(directory).filename();
  const auto service = answers(read_file(artefact_dir() / "latest" / "attacker.log"));
  const Outcome test = exec_in(spec, behaviour(attempts));
  for (const auto& found : {service, answers(test.out)}) {
    EXPECT_THAT(found, ElementsAre("ok " + own, "ENOENT", "ENOENT", "ENOENT", "ENOENT"));
  }
  // Its own directory is there, for a test launcher that is applied twice.
  EXPECT_THAT(answers(exec_in(spec, behaviour({{"read", runtime_dir() / own / "lease"}})).out),
              ElementsAre("ok"));
  EXPECT_THAT(down(spec), ExitedWith(0));
  EXPECT_THAT(down(other), ExitedWith(0));
}

TEST_F(AttackerTest, SeesNoInstanceFromACommandThatRunsAlone) {
  const fs::path other =
      write_spec(R"("services": {"one": {"command": ["test_service", "waits"]}})", "other.json");
  ASSERT_THAT(up(other), ExitedWith(0));
  const Attempts attempts = {{"list", runtime_dir()}, {"read", run_directory() / "lease"}};
  EXPECT_THAT(from_outside(attempts), Each(StartsWith("ok")));
  Words words = {"run", "--", "test_service"};
  const Words tried = behaviour(attempts);
  words.insert(words.end(), tried.begin(), tried.end());
  EXPECT_THAT(answers(isoenv(words).out), ElementsAre("ok", "ENOENT"));
  EXPECT_THAT(down(other), ExitedWith(0));
}

}  // namespace
}  // namespace isoenv::test
