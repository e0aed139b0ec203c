#include "harness/owner.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "child.h"
#include "scoped_variable.h"

namespace isoenv {
namespace {

using test::Child;
using test::Event;

int sleep_for_ever() {
  for (;;) ::pause();
}

void rename_self(const char* name) { ::prctl(PR_SET_NAME, name); }

TEST(OwnerTest, ReadsTheSameProcessUnderAnyName) {
  Event renamed;
  Event go;
  Child child([&] {
    go.await();
    rename_self("a) Z 1 (b\n c");
    renamed.raise();
    return sleep_for_ever();
  });
  const auto before = read_process(child.pid());
  go.raise();
  renamed.await();

  ASSERT_TRUE(before);
  EXPECT_GT(before->start_time, 0U);
  EXPECT_EQ(read_process(child.pid()), before);
  EXPECT_TRUE(alive(*before));
}

TEST(OwnerTest, TakesAZombieForEnded) {
  Child child(sleep_for_ever);
  const auto process = read_process(child.pid());
  ASSERT_TRUE(process);
  child.send_signal(SIGKILL);
  siginfo_t ended = {};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child.pid()), &ended, WEXITED | WNOWAIT), 0);

  EXPECT_FALSE(alive(*process));
  EXPECT_TRUE(read_process(child.pid()));
}

TEST(OwnerTest, TellsAReusedPidByItsStartTime) {
  auto process = read_process(::getpid());
  ASSERT_TRUE(process);
  --process->start_time;
  EXPECT_FALSE(alive(*process));
  EXPECT_FALSE(open_pidfd(*process));
}

TEST(OwnerTest, FindsNoProcessForAPidThatNobodyHas) {
  Child child([] { return 0; });
  const pid_t pid = child.pid();
  child.wait();
  EXPECT_FALSE(read_process(pid));
  EXPECT_FALSE(open_pidfd({pid, 1}));
}

TEST(OwnerTest, FindsTheNearestCtestAbove) {
  Child child([] {
    rename_self("ctest");
    const auto ctest = read_process(::getpid());
    Child between([&] {
      rename_self("make");  // a fork has the name of its parent
      return Child([&] { return ctest_above() == ctest ? 0 : 1; }).wait();
    });
    return between.wait();
  });
  EXPECT_EQ(child.wait(), 0);
}

TEST(OwnerTest, TakesNothingForCtestButItsExactName) {
  const auto outer = ctest_above();  // these tests themselves may run under ctest
  Child child([&] {
    rename_self("ctest3");
    return Child([&] { return ctest_above() == outer ? 0 : 1; }).wait();
  });
  EXPECT_EQ(child.wait(), 0);
}

TEST(OwnerTest, FindsCtestByTheProgramItWasStartedAs) {
  constexpr char kInner[] = "ISOENV_TEST_INNER";
  if (std::getenv(kInner) != nullptr) {  // in the process that the shell below starts
    const auto ctest = ctest_above();
    ASSERT_TRUE(ctest);
    EXPECT_EQ(ctest->pid, ::getppid());
    return;
  }
  Child child([&] {
    ::setenv(kInner, "1", 1);
    ::setenv("CTEST_INTERACTIVE_DEBUG_MODE", "1", 1);  // as ctest does
    const std::string program = std::filesystem::read_symlink("/proc/self/exe");
    ::execl("/bin/sh", "/opt/cmake/bin/ctest", "-c",
            "\"$0\" --gtest_filter=OwnerTest.FindsCtestByTheProgramItWasStartedAs >&2; exit $?",
            program.c_str(), nullptr);
    return 98;
  });
  EXPECT_EQ(child.wait(), 0);
}

TEST(OwnerTest, IsTheLeaderOfTheSessionWithATerminal) {
  int terminal = -1;
  const pid_t leader = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  ASSERT_GE(leader, 0);
  if (leader == 0) {
    if (terminal_leader()) ::_exit(2);  // not the caller itself
    Child child([] {
      const auto found = terminal_leader();
      return found && found->pid == ::getppid() && alive(*found) ? 0 : 1;
    });
    ::_exit(child.wait());
  }
  const UniqueFd terminal_fd(terminal);
  int status = -1;
  ASSERT_EQ(::waitpid(leader, &status, 0), leader);
  EXPECT_EQ(status, 0);
}

TEST(OwnerTest, IsNobodyWithoutTerminalAndCtest) {
  Child child([] {
    ::setsid();
    const Owner owner = find_owner("auto");
    return owner.kind == (ctest_above() ? Owner::Kind::kCtest : Owner::Kind::kNone) ? 0 : 1;
  });
  EXPECT_EQ(child.wait(), 0);
}

TEST(OwnerTest, IsWhoeverTheUserNames) {
  const Owner owner = find_owner(std::to_string(::getpid()));
  EXPECT_EQ(owner.kind, Owner::Kind::kExplicit);
  EXPECT_EQ(owner.process, read_process(::getpid()));
  EXPECT_EQ(owner.name, "harness_test");
  EXPECT_EQ(find_owner("none"), Owner());
}

TEST(OwnerTest, RefusesWhatIsNoRunningProcess) {
  for (const char* choice : {"", "0", "-1", "12x", "make", "99999999999999", "4194305"}) {
    try {
      find_owner(choice);
      ADD_FAILURE() << choice;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kUsage) << choice;
    }
  }
}

TEST(OwnerTest, OpensAPidfdThatTellsTheEnd) {
  Child child(sleep_for_ever);
  const UniqueFd pidfd = open_pidfd(*read_process(child.pid()));
  ASSERT_TRUE(pidfd);
  pollfd event{*pidfd, POLLIN, 0};
  EXPECT_EQ(::poll(&event, 1, 0), 0);
  child.send_signal(SIGKILL);
  EXPECT_EQ(::poll(&event, 1, -1), 1);
}

}  // namespace
}  // namespace isoenv
