#include "base/syscall.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"

namespace isoenv {
namespace {

using ::testing::HasSubstr;

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }
bool is_close_on_exec(int fd) { return (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }

bool has_ended(int pidfd) {
  pollfd end{pidfd, POLLIN, 0};
  return ::poll(&end, 1, 0) == 1;
}

/// The exit code of a fork that runs `body`.
int in_a_fork(const std::function<int()>& body) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(body());
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class SyscallTest : public ::testing::Test {
 protected:
  /// A file of the test's own; unlinked at its end.
  ~SyscallTest() override { ::unlink(path_); }
  const char* file() const { return path_; }
  void fill(const std::string& text) const {
    const UniqueFd fd = open_or_throw(path_, O_WRONLY | O_TRUNC);
    ASSERT_EQ(::write(*fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::string content() const {
    const UniqueFd fd = open_or_throw(path_, O_RDONLY);
    char text[64] = "";
    const ssize_t length = ::read(*fd, text, sizeof text);
    return {text, length > 0 ? static_cast<std::size_t>(length) : 0};
  }

 private:
  char path_[32] = "/tmp/isoenv-syscall-XXXXXX";
  UniqueFd created_{::mkstemp(path_)};
};

TEST_F(SyscallTest, CloseAllFromClosesEverythingButWhatIsToBeKept) {
  EXPECT_EQ(in_a_fork([] {
              for (int fd = 10; fd < 20; ++fd) ::dup2(2, fd);
              ::dup2(2, 500);
              const int keep[] = {10, 13, 14, 19};
              close_all_from(10, keep, 4);
              for (int fd = 10; fd < 20; ++fd) {
                const bool kept = fd == 10 || fd == 13 || fd == 14 || fd == 19;
                if (is_open(fd) != kept) return fd;
              }
              if (is_open(500)) return 50;
              return is_open(0) || is_open(1) || is_open(2) ? 0 : 1;
            }),
            0);
}

TEST_F(SyscallTest, CloseAllFromLeavesWhatIsBelow) {
  EXPECT_EQ(in_a_fork([] {
              for (int fd = 10; fd < 20; ++fd) ::dup2(2, fd);
              const int keep[] = {11, 16};
              close_all_from(15, keep, 2);
              for (int fd = 10; fd < 20; ++fd) {
                if (is_open(fd) != (fd < 15 || fd == 16)) return fd;
              }
              return 0;
            }),
            0);
}

TEST_F(SyscallTest, CloseAllFromNeedsNothingToKeep) {
  EXPECT_EQ(in_a_fork([] {
              ::dup2(2, 10);
              close_all_from(3, nullptr, 0);
              return is_open(10) || !is_open(2) ? 1 : 0;
            }),
            0);
}

TEST_F(SyscallTest, PipesArePassedToNoProgram) {
  const Pipe pipe = make_pipe();
  EXPECT_TRUE(is_close_on_exec(*pipe.read));
  EXPECT_TRUE(is_close_on_exec(*pipe.write));
  ASSERT_EQ(::write(*pipe.write, "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(::read(*pipe.read, &byte, 1), 1);
  EXPECT_EQ(byte, 'x');
  EXPECT_EQ(::fcntl(*pipe.read, F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(SyscallTest, PipesTakeFlags) {
  const Pipe pipe = make_pipe(O_NONBLOCK);
  EXPECT_TRUE(is_close_on_exec(*pipe.read));
  char byte = 0;
  EXPECT_EQ(::read(*pipe.read, &byte, 1), -1);
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_THROW(make_pipe(O_APPEND), SystemError);
}

TEST_F(SyscallTest, SocketPairsKeepMessagesApart) {
  const SocketPair pair = make_seqpacket_pair();
  EXPECT_TRUE(is_close_on_exec(*pair.first));
  EXPECT_TRUE(is_close_on_exec(*pair.second));
  ASSERT_EQ(::send(*pair.first, "one", 3, 0), 3);
  ASSERT_EQ(::send(*pair.first, "four", 4, 0), 4);
  char text[16];
  EXPECT_EQ(::recv(*pair.second, text, sizeof text, 0), 3);
  EXPECT_EQ(::recv(*pair.second, text, sizeof text, 0), 4);
}

TEST_F(SyscallTest, OpenNamesWhatItCannotOpen) {
  EXPECT_TRUE(is_close_on_exec(*open_or_throw(file(), O_RDONLY)));
  try {
    open_or_throw("/no/such/file", O_RDONLY);
    FAIL() << "it could";
  } catch (const SystemError& error) {
    EXPECT_EQ(error.error_number(), ENOENT);
    EXPECT_THAT(error.what(), HasSubstr("/no/such/file"));
  }
}

TEST_F(SyscallTest, WriteFileWritesIntoAFileThatIsThere) {
  fill("123456");
  EXPECT_TRUE(write_file(file(), "ab"));
  EXPECT_EQ(content(), "ab3456");
}

TEST_F(SyscallTest, WriteFileTellsWhyItCouldNot) {
  errno = 0;
  EXPECT_FALSE(write_file("/no/such/file", "0"));
  EXPECT_EQ(errno, ENOENT);
  EXPECT_FALSE(write_file("/dev/full", "0"));
  EXPECT_EQ(errno, ENOSPC);
  EXPECT_FALSE(write_file("/tmp", "0"));
  EXPECT_EQ(errno, EISDIR);
  ASSERT_EQ(::unlink(file()), 0);
  EXPECT_FALSE(write_file(file(), "0"));
  EXPECT_NE(::access(file(), F_OK), 0) << "it was made";
}

TEST_F(SyscallTest, CloneForksAndGivesAPidfd) {
  int copied = 1;
  UniqueFd pidfd;
  Pipe go = make_pipe();
  const pid_t pid = try_clone(0, pidfd);
  if (pid == 0) {
    char byte = 0;
    (void)!::read(*go.read, &byte, 1);
    copied = 2;
    ::_exit(pidfd ? 1 : 41 + copied);
  }
  ASSERT_GT(pid, 0);
  EXPECT_TRUE(is_close_on_exec(*pidfd));
  EXPECT_FALSE(has_ended(*pidfd));
  ASSERT_EQ(::write(*go.write, "x", 1), 1);
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(has_ended(*pidfd));
  EXPECT_EQ(WEXITSTATUS(status), 43);
  EXPECT_EQ(copied, 1) << "memory is shared";
}

TEST_F(SyscallTest, CloneTellsWhyItCouldNot) {
  UniqueFd pidfd;
  EXPECT_EQ(try_clone(CLONE_SIGHAND, pidfd), -1);  // needs CLONE_VM, clone(2)
  EXPECT_EQ(errno, EINVAL);
  EXPECT_FALSE(pidfd);
}

TEST_F(SyscallTest, PidfdsSignalTheProcessTheyStandFor) {
  UniqueFd pidfd;
  const pid_t pid = try_clone(0, pidfd);
  if (pid == 0) {
    for (;;) ::pause();
  }
  const UniqueFd same = try_pidfd_open(pid);
  ASSERT_TRUE(same);
  EXPECT_TRUE(is_close_on_exec(*same));
  EXPECT_EQ(try_pidfd_send_signal(*same, SIGKILL), 0);
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  EXPECT_EQ(try_pidfd_send_signal(*pidfd, SIGKILL), -1);
  EXPECT_EQ(errno, ESRCH);
  EXPECT_FALSE(try_pidfd_open(pid));
  EXPECT_EQ(errno, ESRCH);
}

TEST_F(SyscallTest, NestedCloneGivesTheCallerAChildOfItsOwn) {
  const pid_t caller = ::getpid();
  UniqueFd pidfd;
  const pid_t result = try_clone_nested(0, pidfd);
  if (result == 0) ::_exit(::getppid() == caller ? 42 : 1);
  ASSERT_EQ(result, 1);
  EXPECT_TRUE(is_close_on_exec(*pidfd));
  siginfo_t end{};
  ASSERT_EQ(::waitid(P_PIDFD, static_cast<id_t>(*pidfd), &end, WEXITED), 0);
  EXPECT_EQ(end.si_status, 42);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "the relay was left";
}

TEST_F(SyscallTest, NestedCloneTellsWhyItCouldNot) {
  UniqueFd pidfd;
  EXPECT_EQ(try_clone_nested(CLONE_SIGHAND, pidfd), -1);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_FALSE(pidfd);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "the relay was left";
}

TEST_F(SyscallTest, InotifyTellsWhichLimitToRaise) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  std::string hint;
  try {
    (void)make_inotify();
  } catch (const SystemError& error) {
    hint = error.hint();
  }
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_THAT(hint, testing::HasSubstr("fs.inotify.max_user_instances"));
}

}  // namespace
}  // namespace isoenv
