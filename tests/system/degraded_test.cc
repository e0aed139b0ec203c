// `auto` on machines that refuse one step of what an instance needs: it runs without namespaces,
// says so once, and leaves nothing, neither of what it has nor of what was half made.
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Json = nlohmann::json;

constexpr char kTold[] = "no namespaces, ports of the host's loopback instead: cannot ";

struct Denial {
  const char* name;
  const char* option;
  const char* value;
  std::string step;
  bool binds_lone_command;  ///< `run` without a spec needs it too
};

/// Part of a test's name for ctest.
void PrintTo(const Denial& denial, std::ostream* out) { *out << denial.name; }

const Denial kDenials[] = {
    {"Unshare", "--syscall", "unshare=EPERM", "create a user namespace", true},
    {"Mount", "--syscall", "mount=EPERM", "detach mounts from the host", true},
    {"BindMount", "--syscall", "mount:MS_BIND=EACCES", "mount over '" + first_name_file() + "'",
     true},
    {"RouteNetlink", "--syscall", "socket:NETLINK_ROUTE=EPERM", "open a route netlink socket",
     true},
    {"Clone", "--syscall", "clone:CLONE_NEWNET=EPERM", "clone a process into new namespaces", true},
    {"HostName", "--syscall", "sethostname=EPERM", "set the host name", false},
    {"Setns", "--syscall", "setns=EPERM", "enter a service's network namespace", false},
    {"Join", "--syscall", "setns:CLONE_NEWUSER=EPERM", "join the instance's namespaces", false},
};

class DegradedTest : public SystemTest, public ::testing::WithParamInterface<Denial> {
 protected:
  DegradedTest() { options().env["ISOENV_ISOLATION"] = "auto"; }

  Outcome under(const Words& words) const {
    return isoenv_under({GetParam().option, GetParam().value}, words);
  }
  Words words(const std::string& command, const std::string& spec) const {
    return {command, "-f", spec, "--artefacts", artefact_dir()};
  }
  static Words joined(Words first, const Words& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
  }
  std::string told() const { return kTold + GetParam().step + ": "; }
  static std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++found;
    return found;
  }
  std::filesystem::path echo() const {
    return write_spec(R"("services": {
      "web": {"command": ["test_service", "tcp_echo", "*", "env:PORT"], "ports": {"http": "auto"}},
      "more": {"command": ["test_service", "waits"], "depends": {"web": "ready"}},
      "alone": {"command": ["test_service", "waits"]}})");
  }
};

TEST_P(DegradedTest, UpRunsWithoutNamespacesAndSaysSoOnce) {
  const auto spec = echo();
  const Words up = joined(words("up", spec), {"--owner", std::to_string(::getpid())});
  const Outcome first = under(up);
  EXPECT_THAT(first, ExitedWith(0));
  EXPECT_EQ(count(first.out, told()), 1U) << first;
  const Outcome again = under(up);
  EXPECT_THAT(again, ExitedWith(0));
  EXPECT_EQ(count(again.out + again.err, kTold), 0U) << again;
  EXPECT_THAT(isoenv({"ps", "-f", spec}).out, HasSubstr("rung 'ports': " + told()));
  const std::string port = variable(exec_in(spec, {"shows_environment"}).out, "ISOENV_WEB_PORT");
  EXPECT_THAT(exec_in(spec, {"tcp_ask", "any", "127.0.0.1", port, "x"}).out, HasSubstr("x"));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_P(DegradedTest, RunWithASpecDoesTheSame) {
  const Words command = {"--",        "test_service",        "tcp_ask", "any",
                         "127.0.0.1", "env:ISOENV_WEB_PORT", "x"};
  const Outcome outcome = under(joined(words("run", echo()), command));
  EXPECT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(outcome.out, HasSubstr("x"));
  EXPECT_EQ(count(outcome.err, told()), 1U) << outcome;
}

TEST_P(DegradedTest, RunWithoutASpecDoesSoWhenItMust) {
  const Outcome outcome = under({"run", "--", "printenv", "ISOENV_INSTANCE"});
  EXPECT_THAT(outcome, ExitedWith(0));
  EXPECT_EQ(outcome.out, "alone\n");
  EXPECT_EQ(count(outcome.err, told()), GetParam().binds_lone_command ? 1U : 0U) << outcome;
}

TEST_P(DegradedTest, NetnsRefusesWithTheWordsOfDoctor) {
  const Json report = Json::parse(under({"doctor", "--json"}).out, nullptr, false);
  ASSERT_TRUE(report.is_object());
  std::string step;
  std::string cause;
  for (const Json& finding : report["capabilities"]) {
    if (finding["state"] != "refused") continue;
    step = finding.value("step", "");
    cause = finding["cause"].value("text", "");
    break;
  }
  ASSERT_EQ(step, GetParam().step);
  const Words strict = {"--isolation", "netns", "--", "true"};
  const Outcome outcome = under(joined(words("run", echo()), strict));
  EXPECT_THAT(outcome, ExitedWith(77));
  EXPECT_THAT(outcome.err, HasSubstr("cannot " + step + ": E"));
  EXPECT_THAT(outcome.err, HasSubstr(cause));
  EXPECT_THAT(outcome.err, HasSubstr("'isoenv doctor'"));
}

TEST_P(DegradedTest, ManyWhoAskAtOnceShareOneInstance) {
  const auto spec = echo();
  const Words up = joined(words("up", spec), {"--owner", std::to_string(::getpid())});
  Words denied = {ISOENV_DENY, GetParam().option, GetParam().value, "--", ISOENV_EXECUTABLE};
  denied = joined(denied, up);
  std::vector<Process> clients;
  for (const char* service : {"web", "more", "alone", "web"}) {
    clients.emplace_back(joined(denied, {service}), options());
  }
  std::size_t times_told = 0;
  for (Process& client : clients) {
    const Outcome outcome = client.wait();
    EXPECT_THAT(outcome, ExitedWith(0));
    times_told += count(outcome.out, kTold);
  }
  EXPECT_EQ(times_told, 1U);
  EXPECT_GT(keeper(), 0);
  EXPECT_THAT(down(spec), ExitedWith(0));
}

INSTANTIATE_TEST_SUITE_P(Of, DegradedTest, ::testing::ValuesIn(kDenials),
                         [](const auto& denial) { return std::string(denial.param.name); });

using NothingLeftTest = SystemTest;

TEST_F(NothingLeftTest, IsSaidWhenPortsCannotBeHadEither) {
  const auto spec = write_spec(R"("services": {
    "web": {"command": ["test_service", "tcp_echo", "*", "env:PORT"], "ports": {"http": "auto"}}})");
  const Outcome outcome = isoenv_under(
      {"--syscall", "socket:NETLINK_SOCK_DIAG=EPERM"},
      {"up", "-f", spec, "--isolation", "auto", "--artefacts", artefact_dir(), "--owner", "none"});
  EXPECT_THAT(outcome, ExitedWith(77));
  EXPECT_THAT(outcome.err, HasSubstr("allow netlink sockets here"));
  EXPECT_THAT(outcome.err, HasSubstr("while starting with no namespaces"));
}

}  // namespace
}  // namespace isoenv::test
