// Stands before the C library's calls, for every caller in the program and in its shared libraries
// (the dynamic linker takes the program's symbols first), and makes them fail as asked.
//
// Linked into `isoenv` by ISOENV_FAULT_INJECTION alone. The calls go to the kernel directly, so
// that they are async-signal-safe and need no look-up of the library's own.
#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>

#include "base/fault_injection.h"

namespace {

using isoenv::Call;

template <typename Result = int, typename... Arguments>
Result failing(Call call, long number, Arguments... arguments) noexcept {
  if (const int error = isoenv::injected_fault(call); error != 0) {
    errno = error;
    return -1;
  }
  return static_cast<Result>(::syscall(number, arguments...));
}

ssize_t failing_write(int fd, const void* data, size_t size) noexcept {
  const int error = isoenv::injected_fault(Call::kWrite);
  if (error > 0) {
    errno = error;
    return -1;
  }
  if (error == isoenv::kShortWrite) size = std::max<size_t>(size / 2, 1);
  return ::syscall(SYS_write, fd, data, size);
}

mode_t mode_of(int flags, va_list arguments) noexcept {
  const bool given = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return given ? static_cast<mode_t>(va_arg(arguments, unsigned)) : 0;
}

}  // namespace

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the library's are reserved
// ones.
extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return failing(Call::kOpen, SYS_openat, AT_FDCWD, path, flags, mode);
}

int openat(int directory, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return failing(Call::kOpen, SYS_openat, directory, path, flags, mode);
}

ssize_t read(int fd, void* data, size_t size) {
  return failing<ssize_t>(Call::kRead, SYS_read, fd, data, size);
}

ssize_t write(int fd, const void* data, size_t size) { return failing_write(fd, data, size); }

int pipe2(int ends[2], int flags) noexcept { return failing(Call::kPipe, SYS_pipe2, ends, flags); }

pid_t fork() noexcept {
  if (const int error = isoenv::injected_fault(Call::kFork); error != 0) {
    errno = error;
    return -1;
  }
  return ::_Fork();  // the library's own; what fork(2) does beside it is for threads
}

int execve(const char* path, char* const argv[], char* const envp[]) noexcept {
  return failing(Call::kExec, SYS_execve, path, argv, envp);
}

int unshare(int flags) noexcept { return failing(Call::kUnshare, SYS_unshare, flags); }

int setns(int fd, int flags) noexcept { return failing(Call::kSetns, SYS_setns, fd, flags); }

int mount(const char* source, const char* target, const char* type, unsigned long flags,
          const void* data) noexcept {
  return failing(Call::kMount, SYS_mount, source, target, type, flags, data);
}

int umount2(const char* target, int flags) noexcept {
  return failing(Call::kUmount, SYS_umount2, target, flags);
}

int mkdir(const char* path, mode_t mode) noexcept {
  return failing(Call::kMkdir, SYS_mkdirat, AT_FDCWD, path, mode);
}

int rename(const char* from, const char* to) noexcept {
  return failing(Call::kRename, SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char* path) noexcept {
  return failing(Call::kUnlink, SYS_unlinkat, AT_FDCWD, path, 0);
}

int unlinkat(int directory, const char* path, int flags) noexcept {
  return failing(Call::kUnlink, SYS_unlinkat, directory, path, flags);
}

int rmdir(const char* path) noexcept {
  return failing(Call::kUnlink, SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
}

int chmod(const char* path, mode_t mode) noexcept {
  return failing(Call::kChmod, SYS_fchmodat, AT_FDCWD, path, mode);
}

int flock(int fd, int operation) noexcept {
  return failing(Call::kFlock, SYS_flock, fd, operation);
}

int setrlimit(__rlimit_resource_t resource, const struct rlimit* limit) noexcept {
  return failing(Call::kSetrlimit, SYS_prlimit64, 0, resource, limit, nullptr);
}

int socket(int domain, int type, int protocol) noexcept {
  return failing(Call::kSocket, SYS_socket, domain, type, protocol);
}

int bind(int fd, const struct sockaddr* address, socklen_t length) noexcept {
  return failing(Call::kBind, SYS_bind, fd, address, length);
}

int listen(int fd, int backlog) noexcept { return failing(Call::kListen, SYS_listen, fd, backlog); }

int accept(int fd, struct sockaddr* address, socklen_t* length) {
  return failing(Call::kAccept, SYS_accept4, fd, address, length, 0);
}

int accept4(int fd, struct sockaddr* address, socklen_t* length, int flags) {
  return failing(Call::kAccept, SYS_accept4, fd, address, length, flags);
}

int connect(int fd, const struct sockaddr* address, socklen_t length) {
  return failing(Call::kConnect, SYS_connect, fd, address, length);
}

int socketpair(int domain, int type, int protocol, int ends[2]) noexcept {
  return failing(Call::kDescriptor, SYS_socketpair, domain, type, protocol, ends);
}

int epoll_create1(int flags) noexcept {
  return failing(Call::kDescriptor, SYS_epoll_create1, flags);
}

int eventfd(unsigned count, int flags) noexcept {
  return failing(Call::kDescriptor, SYS_eventfd2, count, flags);
}

int timerfd_create(int clock, int flags) noexcept {
  return failing(Call::kDescriptor, SYS_timerfd_create, clock, flags);
}

int signalfd(int fd, const sigset_t* mask, int flags) noexcept {
  return failing(Call::kDescriptor, SYS_signalfd4, fd, mask, (NSIG - 1) / 8, flags);
}

int memfd_create(const char* name, unsigned flags) noexcept {
  return failing(Call::kDescriptor, SYS_memfd_create, name, flags);
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
