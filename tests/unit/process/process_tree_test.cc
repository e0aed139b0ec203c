#include "process/process_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "base/syscall.h"

namespace isoenv {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;

/// A forked process that waits for ever after `body`; the caller's child.
pid_t fork_waiting(const std::function<void()>& body = {}) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  if (body) body();
  for (;;) ::pause();
}

/// Leaves its session twice and its parent behind, and cannot be asked to end.
void leave_daemon(int ready) {
  if (::fork() != 0) return;
  ::setsid();
  if (::fork() != 0) ::_exit(0);
  ::setsid();
  ::signal(SIGTERM, SIG_IGN);
  ::signal(SIGHUP, SIG_IGN);
  (void)!::write(ready, "d", 1);
  for (;;) ::pause();
}

bool is_first_thread_gone(pid_t process) {
  std::ifstream stat("/proc/self/task/" + std::to_string(process) + "/stat");
  std::string text;
  std::getline(stat, text);
  return text.find(") Z ") != std::string::npos;
}

/// Runs `body` in a child that adopts orphans; the exit code.
int in_subreaper(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    ::_exit(adopt_orphans() ? body() : 99);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
  return WEXITSTATUS(status);
}

void await_byte(const Pipe& pipe) {
  char byte;
  (void)!::read(*pipe.read, &byte, 1);
}

/// True when no process holds the pipe's other end any more: whatever was forked from here has
/// ended.
bool nobody_writes(Pipe& pipe) {
  pipe.write.reset();
  char bytes[64];
  ssize_t length = 0;
  while ((length = ::read(*pipe.read, bytes, sizeof bytes)) > 0) {
  }
  return length == 0;
}

TEST(ProcessTreeTest, FindsChildrenAndTheirChildren) {
  EXPECT_EQ(in_subreaper([] {
              Pipe ready = make_pipe();
              const pid_t child = fork_waiting([&] {
                const pid_t grandchild = fork_waiting();
                (void)!::write(*ready.write, &grandchild, sizeof grandchild);
              });
              pid_t grandchild = 0;
              (void)!::read(*ready.read, &grandchild, sizeof grandchild);
              EXPECT_THAT(processes_below(::getpid()), ::testing::ElementsAre(child, grandchild));
              EXPECT_THAT(processes_below(grandchild), IsEmpty());
              end_descendants();
              EXPECT_THAT(processes_below(::getpid()), IsEmpty());
              return ::testing::Test::HasFailure() ? 1 : 0;
            }),
            0);
}

TEST(ProcessTreeTest, EndsDaemonsThatHaveLeftTheirSession) {
  EXPECT_EQ(in_subreaper([] {
              Pipe held = make_pipe();
              fork_waiting([&] { leave_daemon(*held.write); });
              await_byte(held);
              end_descendants();
              return nobody_writes(held) ? 0 : 1;
            }),
            0);
}

TEST(ProcessTreeTest, EndsProcessesThatForkAllTheTime) {
  EXPECT_EQ(in_subreaper([] {
              Pipe held = make_pipe();
              for (int i = 0; i < 3; ++i) {
                const pid_t forker = ::fork();
                if (forker != 0) continue;
                // Each generation leaves its children behind at once, as a fork bomb does.
                for (bool told = false;; told = true) {
                  if (::fork() != 0) ::_exit(0);
                  if (!told) (void)!::write(*held.write, "f", 1);
                }
              }
              await_byte(held);
              end_descendants();
              return nobody_writes(held) ? 0 : 1;
            }),
            0);
}

TEST(ProcessTreeTest, SparesTheChildrenThatAreNamed) {
  EXPECT_EQ(in_subreaper([] {
              Pipe held = make_pipe();
              const pid_t spared = fork_waiting([] { fork_waiting(); });
              fork_waiting([&] { leave_daemon(*held.write); });
              await_byte(held);
              end_descendants({spared});
              EXPECT_THAT(processes_below(::getpid()), Contains(spared));
              EXPECT_EQ(::waitpid(spared, nullptr, WNOHANG), 0);
              end_descendants();
              return nobody_writes(held) && !::testing::Test::HasFailure() ? 0 : 1;
            }),
            0);
}

TEST(ProcessTreeTest, LeavesProcessesBesideTheCallerAlone) {
  const pid_t bystander = fork_waiting();
  EXPECT_EQ(in_subreaper([] {
              fork_waiting();
              end_descendants();
              return 0;
            }),
            0);
  EXPECT_EQ(::waitpid(bystander, nullptr, WNOHANG), 0);
  EXPECT_THAT(processes_below(bystander), Not(Contains(bystander)));
  ::kill(bystander, SIGKILL);
  ::waitpid(bystander, nullptr, 0);
}

TEST(IsEndingTest, HoldsForWhoHasEndedAndNoOther) {
  EXPECT_FALSE(is_ending(0));
  EXPECT_FALSE(is_ending(::getpid()));
  const pid_t child = fork_waiting();
  EXPECT_FALSE(is_ending(child));
  ::kill(child, SIGSTOP);
  EXPECT_FALSE(is_ending(child));
  ::kill(child, SIGKILL);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_TRUE(is_ending(child)) << "not reaped yet";
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(is_ending(child));
}

TEST(IsEndingTest, HoldsAsSoonAsAConnectionEndsWithItsOwner) {
  for (int round = 0; round < 100; ++round) {
    Pipe pipe = make_pipe();
    const pid_t child = fork_waiting([&] { ::raise(SIGKILL); });
    pipe.write.reset();
    (void)read_to_end(*pipe.read);
    EXPECT_TRUE(is_ending(child));
    ::waitpid(child, nullptr, 0);
  }
}

TEST(IsEndingTest, DoesNotHoldWhileOtherThreadsGoOn) {
  Pipe pipe = make_pipe();
  const pid_t child = ::fork();
  if (child == 0) {
    std::thread([write = *pipe.write, first = ::getpid()] {
      while (!is_first_thread_gone(first)) ::usleep(1000);
      (void)!::write(write, "x", 1);
      for (;;) ::pause();
    }).detach();
    ::syscall(SYS_exit, 0);  // this thread alone
  }
  pipe.write.reset();
  char byte = 0;
  EXPECT_EQ(::read(*pipe.read, &byte, 1), 1);
  EXPECT_FALSE(is_ending(child));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

}  // namespace
}  // namespace isoenv
