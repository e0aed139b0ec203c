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

struct nl_sock;

namespace isoenv {

/// A bound socket that accepts traffic: TCP in LISTEN, or an unconnected UDP socket.
struct BoundSocket {
  std::string address;  ///< as inet_ntop(3) writes it: `0.0.0.0`, `::`, `127.0.0.1`
  std::uint16_t port = 0;
  bool ipv6_only = false;  ///< an IPv6 socket that takes no IPv4 traffic (IPV6_V6ONLY)

  bool operator==(const BoundSocket&) const = default;
};

class SocketDiag {
 public:
  /// Opens the diagnostic socket in the calling thread's network namespace. Throws Error.
  SocketDiag();

  /// All TCP sockets in LISTEN: IPv4, then IPv6. Throws SystemError when the kernel refuses.
  std::vector<BoundSocket> tcp_listeners();
  /// All UDP sockets that are bound and not connected: IPv4, then IPv6. Throws alike.
  std::vector<BoundSocket> udp_sockets();

 private:
  struct Close {
    void operator()(nl_sock* socket) const noexcept;
  };
  std::unique_ptr<nl_sock, Close> socket_;
};

}  // namespace isoenv
