// `run` and `exec` in a terminal: the command is in the foreground, as if it had been started
// alone.
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <csignal>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

constexpr int kPatienceMilliseconds = std::chrono::milliseconds(kPatience).count();
constexpr char kInterrupt[] = "\x03";  // Ctrl-C in a terminal's default settings
constexpr char kSuspend[] = "\x1a";    // Ctrl-Z

class TerminalTest : public SystemTest {
 protected:
  void SetUp() override {
    terminal_.reset(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_EQ(::grantpt(*terminal_), 0);
    ASSERT_EQ(::unlockpt(*terminal_), 0);
  }

  /// Runs a shell command with the terminal as its standard streams and controlling terminal: a
  /// session leader without one takes the first that it opens (tty_ioctl(4)).
  Process start_in_terminal(const std::string& command) {
    const std::string name = ::ptsname(*terminal_);
    options().new_session = true;
    return Process({"sh", "-c", "exec <" + name + " >" + name + " 2>&1; exec " + command},
                   options());
  }

  void type(const std::string& keys) const {
    EXPECT_EQ(::write(*terminal_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }

  /// Reads the screen until it shows `text`. A terminal that nobody has open any more ends it.
  bool wait_for(const std::string& text) {
    char buffer[4096];
    while (screen_.find(text) == std::string::npos) {
      pollfd watched{*terminal_, POLLIN, 0};
      if (::poll(&watched, 1, kPatienceMilliseconds) <= 0) return false;
      const ssize_t size = ::read(*terminal_, buffer, sizeof buffer);
      if (size <= 0) return false;
      screen_.append(buffer, static_cast<std::size_t>(size));
    }
    return true;
  }

  /// The command must get one SIGINT for one Ctrl-C, and the next line that is typed.
  void expect_one_interrupt(const std::string& command) {
    Process process = start_in_terminal(command + " test_service counts SIGINT");
    ASSERT_TRUE(wait_for("armed")) << screen_;
    type(kInterrupt);
    ASSERT_TRUE(wait_for("got")) << screen_;
    type("go on\n");
    EXPECT_TRUE(wait_for("counted 1")) << screen_;
    EXPECT_THAT(process.wait(), ExitedWith(0));
  }

  void close_terminal() { terminal_.reset(); }
  const std::string& screen() const { return screen_; }
  void clear() { screen_.clear(); }

 private:
  UniqueFd terminal_;
  std::string screen_;
};

TEST_F(TerminalTest, GivesTheCommandOfAnEmptyRunOneInterrupt) {
  expect_one_interrupt(ISOENV_EXECUTABLE " run --");
}

TEST_F(TerminalTest, GivesTheCommandOfRunOneInterruptAndItsServicesNone) {
  const auto spec = write_spec(R"("services": {"web": {"command": ["test_service", "tcp_echo", "*",
      "80"], "ports": {"http": 80}}})");
  expect_one_interrupt(ISOENV_EXECUTABLE " run -f " + spec.string() + " --");
}

TEST_F(TerminalTest, GivesTheCommandOfExecOneInterrupt) {
  const auto spec = write_spec(R"("services": {"web": {"command": ["test_service", "tcp_echo", "*",
      "80"], "ports": {"http": 80}}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  expect_one_interrupt(ISOENV_EXECUTABLE " exec -f " + spec.string() + " --");
  EXPECT_THAT(exec_in(spec, {"tcp_ask", "any", "web", "80", "x"}), ExitedWith(0));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(TerminalTest, GivesAShellInTheServicesPlaceJobControl) {
  const auto spec = write_spec(R"("services": {"web": {"command": ["test_service", "waits"]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  options().env["SHELL"] = "/bin/sh";
  Process shell = start_in_terminal(ISOENV_EXECUTABLE " shell -f " + spec.string() + " web");
  ASSERT_TRUE(wait_for("in the place of 'web'")) << screen();
  type("test_service counts SIGINT\n");
  ASSERT_TRUE(wait_for("armed")) << screen();
  type(kInterrupt);
  ASSERT_TRUE(wait_for("got")) << screen();
  type(kSuspend);
  ASSERT_TRUE(wait_for("Stopped")) << screen();
  type("echo mean''while; fg\n");
  ASSERT_TRUE(wait_for("meanwhile")) << screen();
  type("go on\n");
  EXPECT_TRUE(wait_for("counted 1")) << screen();
  type("exit 5\n");
  EXPECT_THAT(shell.wait(), ExitedWith(5));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(TerminalTest, GoesBackToTheShellAboveWhileOneInAServicesPlaceIsSuspended) {
  const auto spec = write_spec(R"("services": {"web": {"command": ["test_service", "waits"]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  options().env["SHELL"] = "/bin/sh";
  Process above = start_in_terminal("sh -i");
  type(ISOENV_EXECUTABLE " shell -f " + spec.string() + " web\n");
  ASSERT_TRUE(wait_for("in the place of 'web'")) << screen();
  for (const std::string round : {"1", "2"}) {
    type("kill -STOP $$\n");
    ASSERT_TRUE(wait_for("Stopped")) << screen();
    type("echo above''" + round + "\n");
    ASSERT_TRUE(wait_for("above" + round)) << screen();
    type("fg\n");
    type("echo in''side" + round + " $(cat /proc/sys/kernel/hostname)\n");
    ASSERT_TRUE(wait_for("inside" + round + " web")) << screen();
    clear();
  }
  type("exit 5\n");
  type("exit $?\n");
  EXPECT_THAT(above.wait(), ExitedWith(5));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(TerminalTest, IsNotCommandedByTheOutputOfServices) {
  const auto spec = write_spec(R"("tasks": {"paints": {"command": ["test_service", "writes",
      "\\x1b[31mred\\x1b[0m \\x1b]0;title\\x07 \\x1b[2J\\0\\xff\n", "end\n"]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  Process logs = start_in_terminal(ISOENV_EXECUTABLE " logs --file " + spec.string() + " paints");
  EXPECT_TRUE(wait_for("\x1b[31mred\x1b[0m \\x1b]0;title\\x07 \\x1b[2J\\x00\\xff\x1b[0m"));
  EXPECT_THAT(logs.wait(), ExitedWith(0));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(TerminalTest, TakesItsLeadersCommandWithIt) {
  Process process =
      start_in_terminal(ISOENV_EXECUTABLE " run -- test_service writes armed then waits");
  ASSERT_TRUE(wait_for("armed"));
  close_terminal();
  EXPECT_THAT(process.wait(), ExitedWith(128 + SIGHUP));
}

// The hang-up goes to whoever is there at that moment: the command may not be.
TEST_F(TerminalTest, TakesACommandWithItThatHasNotStartedYet) {
  Process process = start_in_terminal(ISOENV_EXECUTABLE " run -- test_service waits");
  const pid_t init = await_process("isoenv-init");
  ASSERT_NE(init, 0);
  ::kill(init, SIGSTOP);
  close_terminal();
  ::kill(init, SIGCONT);
  EXPECT_THAT(process.wait(), ExitedWith(128 + SIGHUP));
}

}  // namespace
}  // namespace isoenv::test
