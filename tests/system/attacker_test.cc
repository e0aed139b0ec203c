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
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Not;
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
    EXPECT_THAT(found, ElementsAre(AllOf(StartsWith("ok "), HasSubstr(own),
                                         Not(HasSubstr(directory.filename().string()))),
                                   "ENOENT", "ENOENT", "ENOENT", "ENOENT"));
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

TEST_F(AttackerTest, FindsNoSharedMemoryOrQueueOfTheHost) {
  const std::string name = "/isoenv-test-" + std::to_string(::getpid());
  const std::string key = std::to_string(::getpid());
  Attempts attempts;
  for (const std::string kind : {"shared_memory", "posix_queue", "sysv_queue"}) {
    const std::string& named = kind == "sysv_queue" ? key : name;
    const Outcome offered = outside({"offers", kind, named});
    if (offered.exited_with(0)) attempts.push_back({kind, named});  // a kernel may lack queues
  }
  EXPECT_THAT(from_outside(attempts), Each(Eq("ok")));
  EXPECT_THAT(from_service(attempts), Each(Eq("ENOENT")));
  EXPECT_THAT(answers(run_in(attacker_spec({{"list", "/"}}), behaviour(attempts)).out),
              Each(Eq("ENOENT")));
  for (const Words& attempt : attempts) (void)outside({"withdraws", attempt[0], attempt[1]});
  EXPECT_THAT(attempts, Contains(ElementsAre("shared_memory", name)));
}

TEST_F(AttackerTest, SignalsAndTracesNothingOutsideItsSandbox) {
  Process host(Words{"test_service", "writes", "here\n", "then", "waits"}, options());
  ASSERT_TRUE(host.wait_for_output("here"));
  const std::string pid = std::to_string(host.pid());
  const Attempts attempts = {{"signal", pid}, {"trace", pid}};
  EXPECT_THAT(from_outside({attempts[0]}), ElementsAre("ok"));
  EXPECT_THAT(from_service(attempts), ElementsAre("ESRCH", "ESRCH"));
  EXPECT_THAT(answers(run_in(attacker_spec({{"list", "/"}}), behaviour(attempts)).out),
              ElementsAre("ESRCH", "ESRCH"));
  host.send_signal(SIGTERM);
}

TEST_F(AttackerTest, ChangesNoSettingOfTheMachine) {
  const Attempts attempts = {{"rewrite", "/proc/sys/kernel/core_pattern"},
                             {"rewrite", "/proc/sys/vm/swappiness"},
                             {"write", "/proc/sys/kernel/hostname"},
                             {"write", "/sys/kernel/mm/transparent_hugepage/enabled"}};
  const auto found = from_service(attempts);
  EXPECT_THAT(found, Each(AnyOf("EROFS", "EACCES", "ENOENT")));
  EXPECT_THAT(found[0], AnyOf("EROFS", "EACCES"));
  if (::getuid() == 0) {  // nobody else may anywhere
    EXPECT_THAT(from_outside({attempts[1]}), ElementsAre("ok"));
    EXPECT_THAT(from_service({{"rewrite", "/proc/sys/net/ipv4/ip_unprivileged_port_start"}}),
                ElementsAre("ok"));
  }
}

TEST_F(AttackerTest, TakesNoCoverOffAndEntersNoOtherNamespace) {
  EXPECT_THAT(from_service({{"unmount", "/etc/hosts"},
                            {"unmount", runtime_dir()},
                            {"unmount", "/proc"},
                            {"mount", "/tmp"},
                            {"hostname"},
                            {"join", "/proc/1/ns/net"},
                            {"raw_socket"}}),
              Each(AnyOf("EPERM", "EACCES")));
  if (::getuid() != 0) return;
  // The test itself is root, where root runs it; what it takes off is off for itself alone.
  const Outcome test = run_in(attacker_spec({{"list", "/"}}),
                              behaviour({{"unmount", "/etc/hosts"}, {"raw_socket"}}));
  EXPECT_THAT(answers(test.out), ElementsAre("ok", "ok")) << test;
}

TEST_F(AttackerTest, HasOnlyTheCapabilitiesThatServersNeed) {
  const fs::path spec = write_spec(R"("services": {"one": {
    "command": ["test_service", "shows_environment", "then", "writes", "all told\n", "then", "waits"],
    "ready": [{"log": "^all told$"}]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  const std::string log = read_file(artefact_dir() / "latest" / "one.log");
  // chown, dac_override, fowner, kill, setgid, setuid, net_bind_service, sys_chroot, audit_write.
  const std::string kept = ::getuid() == 0 ? "00000000200404eb" : "0000000000000000";
  for (const char* set : {"CapPrm", "CapEff", "CapBnd"}) {
    EXPECT_THAT(values(log, "status"), Contains(set + (" " + kept)));
  }
  for (const char* set : {"CapInh", "CapAmb"}) {
    EXPECT_THAT(values(log, "status"), Contains(set + std::string(" 0000000000000000")));
  }
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(AttackerTest, HasNoTerminalInAService) {
  // In a terminal /dev/tty could be opened, and typed at (tty_ioctl(4), TIOCSTI).
  EXPECT_THAT(from_service({{"terminal"}}), ElementsAre("ENXIO"));
}

TEST_F(AttackerTest, FindsRunDirectoriesClosedAsAnotherUser) {
  const fs::path spec =
      write_spec(R"("services": {"one": {"command": ["test_service", "waits"]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  const fs::path directory = run_directory();
  EXPECT_EQ(fs::status(runtime_dir()).permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(directory).permissions(), fs::perms::owner_all);
  for (const char* name : {"control", "lease", "lock"}) {
    EXPECT_EQ(fs::status(directory / name).permissions(),
              fs::perms::owner_read | fs::perms::owner_write)
        << name;
  }
  if (::getuid() == 0) {
    fs::permissions(dir(), fs::perms(0755));
    Words as_other = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                      "test_service"};
    const Attempts attempts = {{"list", runtime_dir()}, {"unix", directory / "control"}};
    const Words tried = behaviour(attempts);
    as_other.insert(as_other.end(), tried.begin(), tried.end());
    EXPECT_THAT(answers(run(as_other, options()).out), ElementsAre("EACCES", "EACCES"));
    EXPECT_THAT(from_outside(attempts), Each(StartsWith("ok")));
  }
  EXPECT_THAT(down(spec), ExitedWith(0));
}

}  // namespace
}  // namespace isoenv::test
