// Which sockets accept traffic in one network namespace, read by NETLINK_SOCK_DIAG (sock_diag(7)).
//
// Owns one diagnostic socket. It stays in the network namespace it was opened in, so the namespace
// of another process is read without entering it again. A query is a few microseconds and touches
// no socket of the service: nothing connects, nothing is accepted, nothing shows in its logs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "spec/spec.h"

struct nl_sock;

namespace isoenv {

/// Whose socket it is.
struct SocketOwner {
  std::uint64_t inode = 0;  ///< as in `socket:[4711]` of /proc/PID/fd; 0: no process has it open
  std::uint32_t user = 0;   ///< the id of the user who made it
};

/// A bound socket that accepts traffic: TCP in LISTEN, or an unconnected UDP socket.
struct BoundSocket {
  std::string address;  ///< as inet_ntop(3) writes it: `0.0.0.0`, `::`, `127.0.0.1`
  std::uint16_t port = 0;
  bool ipv6_only = false;  ///< an IPv6 socket that takes no IPv4 traffic (IPV6_V6ONLY)

  SocketOwner owner{};

  /// The same endpoint, whoever has it.
  bool operator==(const BoundSocket& other) const {
    return address == other.address && port == other.port && ipv6_only == other.ipv6_only;
  }
};

class SocketDiag {
 public:
  /// Opens the diagnostic socket in the calling thread's network namespace. Throws Error.
  SocketDiag();
  /// With a bound diagnostic socket that somebody has opened, maybe in another namespace. Throws
  /// Error.
  explicit SocketDiag(UniqueFd opened);

  int fd() const noexcept;

  /// All TCP sockets in LISTEN: IPv4, then IPv6. Throws SystemError when the kernel refuses.
  std::vector<BoundSocket> tcp_listeners();
  /// All UDP sockets that are bound and not connected: IPv4, then IPv6. Throws alike.
  std::vector<BoundSocket> udp_sockets();
  /// All sockets with that local port, whatever their state. Throws alike.
  std::vector<BoundSocket> sockets_on(Protocol protocol, std::uint16_t port);

 private:
  struct Close {
    void operator()(nl_sock* socket) const noexcept;
  };
  std::unique_ptr<nl_sock, Close> socket_;
};

}  // namespace isoenv
