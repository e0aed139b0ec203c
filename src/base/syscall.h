// System calls that glibc 2.36 has no wrapper for, or whose failure always means the same here.
//
// Thin on purpose: no policy, no retry but EINTR. Functions named try_* return -1 and errno.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/unique_fd.h"

namespace isoenv {

/// pidfd_open(2), Linux 5.3. The fd is close-on-exec.
UniqueFd try_pidfd_open(pid_t pid) noexcept;
/// pidfd_send_signal(2), Linux 5.1.
int try_pidfd_send_signal(int pidfd, int signal) noexcept;

/// clone(2) without sharing memory: like fork(2) into the new namespaces of `flags`. Returns 0 in
/// the child, the pid in the parent; `pidfd` receives a close-on-exec pidfd of the child.
pid_t try_clone(std::uint64_t flags, UniqueFd& pidfd) noexcept;

/// The same for a caller that has joined another PID namespace for its children (setns(2)): the
/// kernel nests a new PID namespace only below the caller's active one (copy_pid_ns,
/// kernel/pid_namespace.c), so a relay born in the joined one clones the child, as the caller's own
/// (CLONE_PARENT). Returns 0 in the child, 1 in the caller.
pid_t try_clone_nested(std::uint64_t flags, UniqueFd& pidfd) noexcept;

/// Closes every descriptor from `first` on but those in `keep` (sorted ascending), by
/// close_range(2), Linux 5.9. Async-signal-safe.
void close_all_from(int first, const int* keep, int keep_count) noexcept;

/// Opens with O_CLOEXEC; throws SystemError naming the path.
UniqueFd open_or_throw(const std::string& path, int flags, unsigned mode = 0644);

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};
/// A close-on-exec pipe(7).
Pipe make_pipe(int flags = 0);

/// A close-on-exec inotify(7) instance; throws SystemError.
UniqueFd make_inotify();

/// Everything until the other ends are closed; throws SystemError.
std::string read_to_end(int fd);

struct SocketPair {
  UniqueFd first;
  UniqueFd second;
};
/// Connected close-on-exec unix(7) sockets that keep message boundaries.
SocketPair make_seqpacket_pair();

/// The most descriptors of one message here; the kernel takes 253 (SCM_MAX_FD, unix(7)).
inline constexpr std::size_t kMostDescriptors = 16;

/// Sends one message with copies of descriptors. False with errno. Async-signal-safe.
bool send_message(int socket, const void* data, std::size_t size, const int* fds,
                  std::size_t fd_count) noexcept;

/// Receives one message of at most `size` bytes and its close-on-exec descriptors, at most
/// kMostDescriptors. Returns its length; 0 when the other end is closed; -1 with errno.
ssize_t receive_message(int socket, void* data, std::size_t size, UniqueFd* fds,
                        std::size_t& fd_count) noexcept;

/// A close-on-exec netlink(7) socket of the calling thread's network namespace, bound to a port
/// that the kernel has chosen.
UniqueFd try_open_netlink(int protocol) noexcept;

/// A socket on which options of IPv6 can be set, or none and errno.
UniqueFd try_open_ipv6() noexcept;
/// True for the errno of socket(2) on a machine that has no such sockets for us: its kernel has no
/// such family, or a filter or a missing right keeps it from us.
bool means_no_such_socket(int error_number) noexcept;

/// Writes `text` to an existing file in one write(2). Async-signal-safe; false and errno on
/// failure.
bool write_file(const char* path, const char* text) noexcept;

}  // namespace isoenv
