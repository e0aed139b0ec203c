// Calls into the kernel that fail on demand, so that tests reach every branch that answers a no.
//
// Compiled in by the CMake option ISOENV_FAULT_INJECTION alone; without it nothing of this is in
// the program, and what stands here is empty. Two variables steer it, read once in each process:
//
//   ISOENV_FAULTS=[ROLE.]CALL:N:ERRNO,…   the N-th call of that kind in a process (of that role)
//                                         fails; `write:N:SHORT` writes half
//   ISOENV_FAULT_COUNTS=FILE              a FaultCounts, shared by all processes, that is kept up
//
// Counting begins anew with each role. Async-signal-safe: fine between fork and exec.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace isoenv {

enum class Call : unsigned {
  kAccept,
  kBind,
  kChmod,
  kClone,
  kConnect,
  kDescriptor,  ///< epoll, eventfd, timerfd, signalfd, memfd, a socket pair
  kExec,
  kFlock,
  kFork,
  kListen,
  kMacvlan,  ///< the answer to the creation of one
  kMkdir,
  kMount,
  kNetlink,     ///< sending requests
  kNetlinkAck,  ///< what the kernel answers to any of them
  kOpen,
  kPidfdOpen,
  kPipe,
  kRead,
  kRename,
  kSetns,
  kSetrlimit,
  kSocket,
  kUmount,
  kUnlink,
  kUnshare,
  kVeth,  ///< the answer to the creation of a pair
  kVfork,
  kWrite,
};

inline constexpr std::array kCallNames{
    "accept",     "bind",    "chmod",   "clone",  "connect", "descriptor", "exec",        "flock",
    "fork",       "listen",  "macvlan", "mkdir",  "mount",   "netlink",    "netlink_ack", "open",
    "pidfd_open", "pipe",    "read",    "rename", "setns",   "setrlimit",  "socket",      "umount",
    "unlink",     "unshare", "veth",    "vfork",  "write"};

/// What a process is; every one begins as a client.
enum class Role : unsigned { kClient, kKeeper, kTidy, kZygote, kInit };

inline constexpr std::array kRoleNames{"client", "keeper", "tidy", "zygote", "init"};

/// The layout of the file of ISOENV_FAULT_COUNTS.
struct FaultCounts {
  /// The most calls of a kind that one process of a role has made.
  std::uint32_t calls[kRoleNames.size()][kCallNames.size()];
  std::uint32_t injected;  ///< faults, in all processes
};

#ifdef ISOENV_FAULT_INJECTION

/// A write(2) that is to write only half.
inline constexpr int kShortWrite = -1;

/// Counts a call; the errno it has to fail with, or 0.
int injected_fault(Call call) noexcept;
/// Says what the calling process is from now on.
void enter_role(Role role) noexcept;

#else

constexpr int injected_fault(Call) noexcept { return 0; }
constexpr void enter_role(Role) noexcept {}

#endif

}  // namespace isoenv
