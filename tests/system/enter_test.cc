// `isoenv exec --in` and `isoenv shell`: a command in the place of a running service.
#include <unistd.h>

#include <csignal>

#include "harness/control.h"
#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kProgram[] = "2";  // a service's program is the first process after its init

class EnterTest : public SystemTest {
 protected:
  void SetUp() override {
    options().env["LAB_TOKEN"] = "sesame-open";
    spec_ = write_spec(R"("services": {
      "web": {"command": ["test_service", "tcp_echo", "*", "80", "web: "], "ports": {"http": 80},
              "working_directory": "place", "env": {"COLOUR": "blue"}, "env_mode": "clean",
              "secret_env": ["LAB_TOKEN"]},
      "gone": {"command": ["test_service", "writes", "up\n", "then", "waits_for", "gate"],
               "ready": [{"log": "up"}], "allow_failure": true}})");
    std::filesystem::create_directory(dir() / "place");
    std::filesystem::permissions(dir() / "place", std::filesystem::perms::all);
    ASSERT_THAT(up(spec_), ExitedWith(0));
  }
  void TearDown() override {
    EXPECT_THAT(down(spec_), ExitedWith(0));
    SystemTest::TearDown();
  }
  Words words_in(const std::string& service, const Words& behaviour) const {
    Words words = {"exec", "-f", spec_, "--in", service, "--", "test_service"};
    words.insert(words.end(), behaviour.begin(), behaviour.end());
    return words;
  }
  Outcome inside(const Words& behaviour) const { return isoenv(words_in("web", behaviour)); }

  Gate gate_ = make_gate();
  std::filesystem::path spec_;
};

TEST_F(EnterTest, SeesTheServicesProcessesUnderTheirNumbersInside) {
  const Outcome outcome = inside({"shows_environment"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(values(outcome.out, "process"),
              AllOf(Contains("1"), Contains(kProgram), Contains(value(outcome.out, "pid"))));
}

TEST_F(EnterTest, HasTheServicesNetworkAndHostName) {
  const Outcome outcome = inside({"shows_environment"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_EQ(value(outcome.out, "hostname"), "web");
  EXPECT_THAT(values(outcome.out, "address"), Contains("eth0 10.79.0.2"));
  EXPECT_EQ(inside({"tcp_ask", "4", "127.0.0.1", "80", "x"}).out, "web: x\n");
}

TEST_F(EnterTest, HasTheServicesVariablesSecretsToo) {
  options().env["TERM"] = "test-terminal";
  options().env["ONLY_OUTSIDE"] = "1";
  options().env["LAB_TOKEN"] = "changed-since";
  const Outcome outcome = inside({"shows_environment"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_EQ(variable(outcome.out, "COLOUR"), "blue");
  EXPECT_EQ(variable(outcome.out, "SERVICE_NAME"), "web");
  EXPECT_EQ(variable(outcome.out, "LAB_TOKEN"), "sesame-open");
  EXPECT_EQ(variable(outcome.out, "ONLY_OUTSIDE"), "(not set)");
  EXPECT_EQ(variable(outcome.out, "TERM"), "test-terminal");
}

TEST_F(EnterTest, LeavesSecretsOutOfWhatTheKeeperAnswers) {
  std::filesystem::directory_iterator only(runtime_dir());
  const RunDirectory directory(runtime_dir(), only->path().filename());
  std::optional<ControlClient> client = ControlClient::connect(directory);
  ASSERT_TRUE(client);
  const std::optional<Answer> answer = client->ask({Request::Kind::kEnter, {"web"}});
  ASSERT_TRUE(answer && answer->place);
  EXPECT_THAT(answer->place->environment, Contains("COLOUR=blue"));
  EXPECT_THAT(answer->place->environment, Not(Contains(HasSubstr("sesame"))));
  EXPECT_THAT(answer->place->secrets, ElementsAre("LAB_TOKEN"));
}

TEST_F(EnterTest, KeepsTheCallersDirectoryAndUser) {
  options().directory = dir() / "home";
  const Outcome outcome = inside({"shows_environment"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_EQ(value(outcome.out, "cwd"), dir() / "home");
  EXPECT_EQ(value(outcome.out, "uid"), std::to_string(::getuid()));
}

TEST_F(EnterTest, MayTraceTheServiceAndSeeItsPackets) {
  EXPECT_EQ(inside({"attempts", "trace", kProgram}).out, std::string("trace 2: ok\n"));
  EXPECT_EQ(inside({"attempts", "raw_socket"}).out, "raw_socket: ok\n");
  EXPECT_EQ(inside({"tcp_ask", "any", "web", "80", "x"}).out, "web: x\n");  // it goes on
}

TEST_F(EnterTest, PassesExitCodesDeathsAndSignalsOn) {
  EXPECT_THAT(inside({"exits", "3"}), ExitedWith(3));
  EXPECT_THAT(inside({"crashes", "segv"}), ExitedWith(128 + SIGSEGV));
  Process process = start_isoenv(words_in(
      "web", {"exits_on", "SIGTERM", "42", "then", "writes", "armed\\n", "then", "waits"}));
  ASSERT_TRUE(process.wait_for_output("armed"));
  process.send_signal(SIGTERM);
  EXPECT_THAT(process.wait(), ExitedWith(42));
}

TEST_F(EnterTest, TakesItsDaemonsWithItAndLeavesTheServiceAlone) {
  const std::size_t before = processes().size();
  EXPECT_THAT(inside({"leaves_daemon", dir() / "daemon"}), ExitedWith(0));
  EXPECT_TRUE(eventually([&] { return processes().size() == before; }));
  EXPECT_EQ(inside({"tcp_ask", "any", "web", "80", "x"}).out, "web: x\n");
}

TEST_F(EnterTest, LeavesNoProcessWhenItIsKilled) {
  const std::size_t before = processes().size();
  Process process = start_isoenv(words_in(
      "web", {"ignores", "SIGTERM", "then", "leaves_daemon", dir() / "daemon", "then", "writes",
              "armed\\n", "then", "waits"}));
  ASSERT_TRUE(process.wait_for_output("armed"));
  process.send_signal(SIGKILL);
  EXPECT_EQ(process.wait().signal, SIGKILL);
  EXPECT_TRUE(eventually([&] { return processes().size() == before; }));
  EXPECT_EQ(inside({"tcp_ask", "any", "web", "80", "x"}).out, "web: x\n");
}

TEST_F(EnterTest, EndsWithTheServiceAndSaysSo) {
  Process process = start_isoenv(words_in("gone", {"writes", "armed\\n", "then", "waits"}));
  ASSERT_TRUE(process.wait_for_output("armed"));
  ASSERT_TRUE(gate_.open());
  const Outcome outcome = process.wait();
  EXPECT_THAT(outcome, ExitedWith(125));
  EXPECT_THAT(outcome.err, HasSubstr("the service ended while 'test_service' ran"));
}

TEST_F(EnterTest, EndsWithTheInstance) {
  Process process = start_isoenv(words_in("web", {"writes", "armed\\n", "then", "waits"}));
  ASSERT_TRUE(process.wait_for_output("armed"));
  EXPECT_THAT(down(spec_), ExitedWith(0));
  EXPECT_THAT(process.wait(), ExitedWith(125));
}

TEST_F(EnterTest, HoldsUpNoEndWhileItStandsStill) {
  Process process = start_isoenv(words_in("web", {"writes", "armed\\n", "then", "waits"}));
  ASSERT_TRUE(process.wait_for_output("armed"));
  process.send_signal(SIGSTOP);
  EXPECT_THAT(down(spec_), ExitedWith(0));
  process.send_signal(SIGCONT);
  EXPECT_THAT(process.wait(), ExitedWith(125));
}

TEST_F(EnterTest, IsRefusedForWhatDoesNotRunOrIsNotThere) {
  EXPECT_THAT(isoenv({"down", "-f", spec_, "gone"}), ExitedWith(0));
  const Outcome stopped = isoenv(words_in("gone", {"exits", "0"}));
  EXPECT_THAT(stopped, ExitedWith(125));
  EXPECT_THAT(stopped.err, AllOf(HasSubstr("'gone' is not running (down)"),
                                 HasSubstr("hint: start it with 'isoenv up gone'")));
  const Outcome unknown = isoenv(words_in("wep", {"exits", "0"}));
  EXPECT_THAT(unknown, ExitedWith(2));
  EXPECT_THAT(unknown.err, AllOf(HasSubstr("'wep'"), HasSubstr("'web'")));
}

TEST_F(EnterTest, IsRefusedInsideTheInstance) {
  const Outcome outcome = isoenv({"exec", "-f", spec_, "--", ISOENV_EXECUTABLE, "exec", "-f", spec_,
                                  "--in", "web", "--", "test_service", "exits", "0"});
  EXPECT_THAT(outcome, ExitedWith(125));
  EXPECT_THAT(outcome.err, HasSubstr("is itself inside the instance"));
}

TEST_F(EnterTest, OpensAShellInTheServicesDirectoryThatPassesItsCodeOn) {
  options().env["SHELL"] = "/bin/sh";
  const Outcome outcome =
      isoenv({"shell", "-f", spec_, "web"}, "pwd; echo $COLOUR; hostname; exit 7\n");
  EXPECT_THAT(outcome, ExitedWith(7));
  EXPECT_EQ(outcome.out, (dir() / "place").string() + "\nblue\nweb\n");
}

TEST_F(EnterTest, OpensShWhenTheUsersShellIsNotThere) {
  options().env["SHELL"] = "/no/such/shell";
  EXPECT_EQ(isoenv({"shell", "-f", spec_, "web"}, "echo fine\n").out, "fine\n");
}

TEST_F(EnterTest, NeedsOneServiceForAShell) {
  const Outcome outcome = isoenv({"shell", "-f", spec_});
  EXPECT_THAT(outcome, ExitedWith(2));
  EXPECT_THAT(outcome.err, HasSubstr("no service is named"));
}

class EnterOnPortsTest : public SystemTest {
 protected:
  EnterOnPortsTest() { options().env["ISOENV_ISOLATION"] = "ports"; }
};

TEST_F(EnterOnPortsTest, HasTheServicesVariablesAndEndsWithIt) {
  const auto spec = write_spec(R"("services": {"web": {
      "command": ["test_service", "tcp_echo", "*", "env:PORT"], "ports": {"http": "auto"},
      "env": {"COLOUR": "blue"}}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  const Words in_web = {"exec", "-f", spec, "--in", "web", "--", "test_service"};
  Words words = in_web;
  words.push_back("shows_environment");
  EXPECT_EQ(variable(isoenv(words).out, "COLOUR"), "blue");
  words = in_web;
  words.insert(words.end(), {"leaves_daemon", dir() / "d", "then", "writes", "armed\\n", "then",
                             "waits"});
  Process process = start_isoenv(words);
  ASSERT_TRUE(process.wait_for_output("armed"));
  EXPECT_THAT(down(spec), ExitedWith(0));
  EXPECT_THAT(process.wait(), ExitedWith(125));
}

}  // namespace
}  // namespace isoenv::test
