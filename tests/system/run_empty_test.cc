// `isoenv run -- COMMAND`: a private network around one command, and nothing else of it changed.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class RunEmptyTest : public SystemTest {
 protected:
  Outcome run_empty(const Words& behaviour, const std::string& input = {}) const {
    Words words = {"run", "--", "test_service"};
    words.insert(words.end(), behaviour.begin(), behaviour.end());
    return isoenv(words, input);
  }
};

TEST_F(RunEmptyTest, HasLoopbackOfBothFamiliesAndNothingElse) {
  const Outcome outcome = run_empty({"shows_environment"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(values(outcome.out, "interface"), ElementsAre("lo"));
  EXPECT_THAT(values(outcome.out, "address"), UnorderedElementsAre("lo 127.0.0.1", "lo ::1"));
  EXPECT_THAT(values(outcome.out, "route4"), IsEmpty());
  EXPECT_THAT(values(outcome.out, "route6"), IsEmpty());
}

TEST_F(RunEmptyTest, ResolvesLocalhostInBothFamilies) {
  const Outcome outcome = run_empty({"resolves", "localhost"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(values(outcome.out, "localhost"), UnorderedElementsAre("127.0.0.1", "::1"));
}

TEST_F(RunEmptyTest, CarriesTrafficOverLoopbackOfBothFamilies) {
  const Outcome outcome = isoenv({"run", "--", "sh", "-c",
                                  "test_service tcp_echo '*' 3000 'echo: ' & "
                                  "until test_service tcp_ask 4 127.0.0.1 3000 ipv4; do :; done;"
                                  "test_service tcp_ask 6 ::1 3000 ipv6;"
                                  "test_service tcp_ask any localhost 3000 name"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_EQ(outcome.out, "echo: ipv4\necho: ipv6\necho: name\n");
}

TEST_F(RunEmptyTest, GivesTwoAtOnceTheSamePort) {
  Gate first = make_gate("first");
  Gate second = make_gate("second");
  const std::string script =
      "test_service tcp_echo '*' 80 & until test_service tcp_ask any localhost 80 up; do :; done; "
      "test_service waits_for ";
  Process one = start_isoenv({"run", "--", "sh", "-c", script + first.text()});
  Process two = start_isoenv({"run", "--", "sh", "-c", script + second.text()});
  ASSERT_TRUE(one.wait_for_output("up\n"));
  ASSERT_TRUE(two.wait_for_output("up\n"));
  EXPECT_TRUE(first.open());
  EXPECT_TRUE(second.open());
  EXPECT_THAT(one.wait(), ExitedWith(0));
  EXPECT_THAT(two.wait(), ExitedWith(0));
}

TEST_F(RunEmptyTest, HasNoWayOut) {
  const Outcome outcome = run_empty({"tcp_ask", "any", "192.0.2.1", "80", "hello"});
  ASSERT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("Network is unreachable"));
}

TEST_F(RunEmptyTest, DoesNotReachTheLoopbackOfTheHost) {
  Process server({"test_service", "writes", "ready\\n", "then", "tcp_echo", "127.0.0.1", "0"},
                 options());
  ASSERT_TRUE(server.wait_for_output("ready"));
  // Port 0 took a free port: whichever it was, nothing at all listens inside.
  const Outcome outcome = isoenv({"run", "--", "cat", "/proc/self/net/tcp"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 1) << outcome.out;
}

TEST_F(RunEmptyTest, PassesTheExitCodeOn) {
  EXPECT_THAT(run_empty({"exits", "0"}), ExitedWith(0));
  EXPECT_THAT(run_empty({"exits", "1"}), ExitedWith(1));
  EXPECT_THAT(run_empty({"exits", "77"}), ExitedWith(77));
  EXPECT_THAT(run_empty({"exits", "255"}), ExitedWith(255));
}

TEST_F(RunEmptyTest, TellsADeathBySignalAs128PlusItsNumber) {
  EXPECT_THAT(run_empty({"crashes", "segv"}), ExitedWith(128 + SIGSEGV));
  EXPECT_THAT(run_empty({"crashes", "abort"}), ExitedWith(128 + SIGABRT));
}

TEST_F(RunEmptyTest, PassesSignalsOnToTheCommand) {
  for (const auto& [name, signal] : {std::pair{"SIGTERM", SIGTERM},
                                     {"SIGINT", SIGINT},
                                     {"SIGHUP", SIGHUP},
                                     {"SIGUSR1", SIGUSR1}}) {
    Process process = start_isoenv({"run", "--", "test_service", "exits_on", name, "42", "then",
                                    "writes", "armed\\n", "then", "waits"});
    ASSERT_TRUE(process.wait_for_output("armed"));
    process.send_signal(signal);
    EXPECT_THAT(process.wait(), ExitedWith(42)) << name;
  }
}

TEST_F(RunEmptyTest, LetsASignalEndACommandThatHasNoHandler) {
  Process process =
      start_isoenv({"run", "--", "test_service", "writes", "armed\\n", "then", "waits"});
  ASSERT_TRUE(process.wait_for_output("armed"));
  process.send_signal(SIGTERM);
  EXPECT_THAT(process.wait(), ExitedWith(128 + SIGTERM));
}

// As soon as there is an init, `run` no longer dies of the signal itself, and the command may not
// run yet.
TEST_F(RunEmptyTest, LetsASignalEndACommandThatHasNotStartedYet) {
  for (int round = 0; round < 20 && !HasFailure(); ++round) {
    Process process = start_isoenv({"run", "--", "test_service", "waits"});
    const pid_t init = await_process("isoenv-init");
    ASSERT_NE(init, 0);
    ::kill(init, SIGSTOP);
    process.send_signal(SIGTERM);
    ::kill(init, SIGCONT);
    EXPECT_THAT(process.wait(), ExitedWith(128 + SIGTERM));
  }
}

TEST_F(RunEmptyTest, LeavesNothingWhenItIsKilledItself) {
  Process process =
      start_isoenv({"run", "--", "test_service", "ignores", "SIGTERM", "then", "leaves_daemon",
                    dir() / "daemon", "then", "writes", "armed\\n", "then", "waits"});
  ASSERT_TRUE(process.wait_for_output("armed"));
  process.send_signal(SIGKILL);
  EXPECT_EQ(process.wait().signal, SIGKILL);
}

TEST_F(RunEmptyTest, TakesDaemonsOfTheCommandDown) {
  const Outcome outcome = run_empty({"leaves_daemon", dir() / "daemon", "then", "exits", "5"});
  EXPECT_THAT(outcome, ExitedWith(5));
  EXPECT_TRUE(std::filesystem::exists(dir() / "daemon"));
}

TEST_F(RunEmptyTest, PassesStandardInputOn) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "line " + std::to_string(i) + "\n";
  const Outcome outcome = run_empty({"copies_stdin"}, text);
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_EQ(outcome.out, text);
}

TEST_F(RunEmptyTest, KeepsStdoutAndStderrApart) {
  const Outcome outcome = run_empty({"writes", "to stdout", "err:to stderr"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_EQ(outcome.out, "to stdout");
  EXPECT_EQ(outcome.err, "to stderr");
}

TEST_F(RunEmptyTest, GivesTheCommandExactlyThreeDescriptors) {
  const UniqueFd leak(::open("/dev/null", O_RDONLY));
  options().inherited_fds = {*leak};
  const Outcome outcome = run_empty({"shows_environment"});
  ASSERT_THAT(outcome, ExitedWith(0));
  const std::vector<std::string> fds = values(outcome.out, "fd");
  ASSERT_EQ(fds.size(), 3U) << outcome.out;
  EXPECT_THAT(fds[0], HasSubstr("0 "));
  EXPECT_THAT(fds[1], HasSubstr("1 "));
  EXPECT_THAT(fds[2], HasSubstr("2 "));
}

TEST_F(RunEmptyTest, ReplacesStandardStreamsThatAreClosed) {
  const Outcome outcome =
      run({"sh", "-c", ISOENV_EXECUTABLE " run -- test_service shows_environment <&-"}, options());
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(values(outcome.out, "fd"), SizeIs(3));
  EXPECT_THAT(values(outcome.out, "fd"), Contains("0 /dev/null"));
}

TEST_F(RunEmptyTest, ReapsOrphans) {
  // Zombies would stay in the count for ever: PID 1, two shells, ls and wc are all there is.
  const Outcome outcome = isoenv({"run", "--", "sh", "-c",
                                  "for i in 1 2 3 4 5 6; do (test_service exits 0 &); done; "
                                  "until [ $(ls -d /proc/[0-9]* | wc -l) -le 5 ]; do :; done"});
  EXPECT_THAT(outcome, ExitedWith(0));
}

TEST_F(RunEmptyTest, ShowsTheCommandOnlyItsOwnProcesses) {
  const Outcome outcome = run_empty({"shows_environment"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(values(outcome.out, "process"), Contains(value(outcome.out, "pid")));
  EXPECT_LE(values(outcome.out, "process").size(), 4U) << outcome.out;
  EXPECT_LT(std::stoi(value(outcome.out, "pid")), 10);
}

TEST_F(RunEmptyTest, DoesNotLetTheCommandSignalAnythingOutside) {
  Process bystander({"test_service", "writes", "armed\\n", "then", "waits"}, options());
  ASSERT_TRUE(bystander.wait_for_output("armed"));
  EXPECT_THAT(run_empty({"signals_all", "SIGTERM", "then", "exits", "3"}), ExitedWith(3));
  EXPECT_EQ(::kill(bystander.pid(), 0), 0);
  bystander.send_signal(SIGUSR1);
  EXPECT_EQ(bystander.wait().signal, SIGUSR1);
}

TEST_F(RunEmptyTest, KeepsUserDirectoryAndVariables) {
  options().directory = dir();
  options().env["COLOUR"] = "a b = c";
  const Outcome outcome = run_empty({"shows_environment"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_EQ(value(outcome.out, "uid"), std::to_string(::getuid()));
  EXPECT_EQ(value(outcome.out, "gid"), std::to_string(::getgid()));
  EXPECT_EQ(value(outcome.out, "cwd"), dir());
  EXPECT_EQ(variable(outcome.out, "COLOUR"), "a b = c");
}

TEST_F(RunEmptyTest, KeepsFilesThatTheCommandWritesOutside) {
  EXPECT_THAT(run_empty({"creates_file", dir() / "result"}), ExitedWith(0));
  EXPECT_TRUE(std::filesystem::exists(dir() / "result"));
}

TEST_F(RunEmptyTest, SaysWhereItLookedForAProgramThatIsNotThere) {
  const Outcome outcome = isoenv({"run", "--", "no_such_program"});
  EXPECT_THAT(outcome, ExitedWith(125));
  EXPECT_THAT(outcome.err, HasSubstr("'no_such_program'"));
  EXPECT_THAT(outcome.err, HasSubstr("PATH"));
}

TEST_F(RunEmptyTest, SaysThatAFileIsNotExecutable) {
  write_file("plain", "not a program");
  const Outcome outcome = isoenv({"run", "--", dir() / "plain"});
  EXPECT_THAT(outcome, ExitedWith(125));
  EXPECT_THAT(outcome.err, HasSubstr(dir() / "plain"));
  EXPECT_THAT(outcome.err, HasSubstr("not executable"));
}

TEST_F(RunEmptyTest, NestsInsideItself) {
  const Outcome outcome = isoenv(
      {"run", "--", ISOENV_EXECUTABLE, "run", "--", "test_service", "resolves", "localhost"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(values(outcome.out, "localhost"), UnorderedElementsAre("127.0.0.1", "::1"));
}

}  // namespace
}  // namespace isoenv::test
