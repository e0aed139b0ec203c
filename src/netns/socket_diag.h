// Listening sockets of one network namespace, read by NETLINK_SOCK_DIAG (sock_diag(7)).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace isoenv {

struct BoundSocket {
  std::string address;     ///< `0.0.0.0`, `::`, `127.0.0.1`
  std::uint16_t port = 0;
  bool ipv6_only = false;
};

class SocketDiag {
 public:
  /// Opens the diagnostic socket in the calling thread's network namespace, which it keeps.
  SocketDiag();

  std::vector<BoundSocket> tcp_listeners();
  /// UDP sockets that are bound and not connected.
  std::vector<BoundSocket> udp_sockets();

 private:
  UniqueFd socket_;
};

}  // namespace isoenv
