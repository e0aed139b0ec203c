// Who has a port of the network namespace that the caller is in.
//
// A socket's inode, told by NETLINK_SOCK_DIAG, is looked for among the descriptors in
// /proc/PID/fd (proc(5)); those of other users, and of programs that may not be looked into, are
// closed to an ordinary caller. Changes nothing.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "spec/spec.h"

namespace isoenv {

/// The inodes of all sockets that these processes have open, as far as the caller may see.
std::set<std::uint64_t> open_sockets(const std::vector<pid_t>& processes);

struct PortHolder {
  pid_t pid = 0;         ///< 0: a process that the caller may not look into
  uid_t user = 0;        ///< the socket's
  std::string command;   ///< its command line; "" when pid is 0
  std::string instance;  ///< its ISOENV_INSTANCE; "" when it has none
};

/// `process 4711 (node server.js)`, `an unknown process of user 33`.
std::string describe(const PortHolder& holder);

/// What is known of a process, as the holder of something.
PortHolder holder_of(pid_t pid);

/// Who has the socket with this inode.
PortHolder find_socket_holder(std::uint64_t inode, uid_t user);

/// Who has a socket bound to the port, whatever its state; none when nobody has. Throws Error when
/// the kernel does not answer.
std::optional<PortHolder> find_port_holder(Protocol protocol, std::uint16_t port);

}  // namespace isoenv
