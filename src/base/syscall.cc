#include "base/syscall.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/error.h"
#include "base/fault_injection.h"

namespace isoenv {
namespace {

/// For the calls made by number, which nothing can stand before.
bool refused(Call call) noexcept {
  const int error = injected_fault(call);
  if (error != 0) errno = error;
  return error != 0;
}

}  // namespace

UniqueFd try_pidfd_open(pid_t pid) noexcept {
  if (refused(Call::kPidfdOpen)) return {};
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

int try_pidfd_send_signal(int pidfd, int signal) noexcept {
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0));
}

pid_t try_clone(std::uint64_t flags, UniqueFd& pidfd) noexcept {
  if (refused(Call::kClone)) return -1;
  int child_pidfd = -1;
  // clone(2) and not clone3(2): seccomp filters of container engines often refuse the latter.
  const auto pid = static_cast<pid_t>(
      ::syscall(SYS_clone, flags | CLONE_PIDFD | SIGCHLD, nullptr, &child_pidfd, nullptr, nullptr));
  if (pid > 0) pidfd.reset(child_pidfd);
  return pid;
}

bool send_message(int socket, const void* data, std::size_t size, const int* fds,
                  std::size_t fd_count) noexcept {
  iovec part{const_cast<void*>(data), size};
  alignas(cmsghdr) char control[CMSG_SPACE(kMostDescriptors * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (fd_count > 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
    std::memcpy(CMSG_DATA(header), fds, fd_count * sizeof(int));
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(size);
}

ssize_t receive_message(int socket, void* data, std::size_t size, UniqueFd* fds,
                        std::size_t& fd_count) noexcept {
  iovec part{data, size};
  alignas(cmsghdr) char control[CMSG_SPACE(kMostDescriptors * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t length = 0;
  do {
    length = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (length < 0 && errno == EINTR);
  fd_count = 0;
  cmsghdr* header = length > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return length;
  fd_count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  for (std::size_t i = 0; i < fd_count; ++i) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
    fds[i].reset(fd);
  }
  return length;
}

UniqueFd try_open_netlink(int protocol) noexcept {
  UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  const sockaddr_nl any{AF_NETLINK, 0, 0, 0};
  if (socket && ::bind(*socket, reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0)
    socket.reset();
  return socket;
}

UniqueFd try_open_ipv6() noexcept {
  return UniqueFd(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

bool means_no_such_socket(int error_number) noexcept {
  return error_number == EAFNOSUPPORT || error_number == EPERM || error_number == EACCES;
}

pid_t try_clone_nested(std::uint64_t flags, UniqueFd& pidfd) noexcept {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return -1;
  UniqueFd caller_end(ends[0]);
  UniqueFd relay_end(ends[1]);
  const pid_t relay = ::fork();
  if (relay < 0) return -1;
  if (relay == 0) {
    UniqueFd child_pidfd;
    if (try_clone(flags | CLONE_PARENT, child_pidfd) == 0) return 0;
    const int failure = errno;
    const int sent = *child_pidfd;
    (void)send_message(*relay_end, &failure, sizeof failure, &sent, child_pidfd ? 1 : 0);
    ::_exit(0);
  }
  relay_end.reset();
  int failure = ECHILD;  // the relay's own death
  UniqueFd received[kMostDescriptors];
  std::size_t count = 0;
  (void)receive_message(*caller_end, &failure, sizeof failure, received, count);
  ::waitpid(relay, nullptr, 0);
  errno = failure;
  if (count == 0) return -1;
  pidfd = std::move(received[0]);
  return 1;
}

void close_all_from(int first, const int* keep, int keep_count) noexcept {
  auto begin = static_cast<unsigned>(first);
  for (int i = 0; i < keep_count; ++i) {
    const auto kept = static_cast<unsigned>(keep[i]);
    if (kept > begin) ::syscall(SYS_close_range, begin, kept - 1, 0U);
    if (kept >= begin) begin = kept + 1;
  }
  ::syscall(SYS_close_range, begin, ~0U, 0U);
}

UniqueFd open_or_throw(const std::string& path, int flags, unsigned mode) {
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!fd) throw_errno("open", path);
  return fd;
}

Pipe make_pipe(int flags) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | flags) != 0) throw_errno("create a pipe");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::string read_to_end(int fd) {
  std::string text;
  char chunk[4096];
  for (;;) {
    const ssize_t length = ::read(fd, chunk, sizeof chunk);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) throw_errno("read from a pipe");
    if (length == 0) return text;
    text.append(chunk, static_cast<std::size_t>(length));
  }
}

UniqueFd make_inotify() {
  UniqueFd events(::inotify_init1(IN_CLOEXEC));
  if (events) return events;
  const int error_number = errno;
  throw SystemError(error_number, "watch files (inotify)", {}, ExitCode::kEnvironmentFailed,
                    error_number == EMFILE ? "raise fs.inotify.max_user_instances (sysctl), of "
                                             "all programs of a user, or the limit of open files"
                                           : "");
}

SocketPair make_seqpacket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    throw_errno("create a socket pair");
  }
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

bool write_file(const char* path, const char* text) noexcept {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const auto length = static_cast<ssize_t>(std::strlen(text));
  const ssize_t written = ::write(fd, text, static_cast<size_t>(length));
  const int error_number = errno;
  ::close(fd);
  errno = error_number;
  return written == length;
}

}  // namespace isoenv
