#include "process/process_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

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

}  // namespace
}  // namespace isoenv
