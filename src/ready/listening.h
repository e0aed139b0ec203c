// Judges a list of bound sockets: can others reach this port of the service, and if not, why not.
//
// Pure functions on what SocketDiag saw; tcp and udp alike.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "netns/socket_diag.h"

namespace isoenv {

struct ServiceAddresses {
  std::string ipv4;
  std::string ipv6;  ///< "" without IPv6
};

/// True when one of `sockets` takes traffic for `port` on an address of the service: bound to it,
/// or to the wildcard of its family. Loopback is not reached from outside and does not count.
bool accepts(const std::vector<BoundSocket>& sockets, const ServiceAddresses& service,
             std::uint16_t port);

/// `listens on *:8080`; `listens on 127.0.0.1:8081, expected *:8080`; `nothing listens yet`.
std::string describe_sockets(const std::vector<BoundSocket>& sockets,
                             const ServiceAddresses& service, std::uint16_t port);

}  // namespace isoenv
