// The private network of one instance: a bridge in the hub, a veth pair to each service; with very
// many services, further bridges linked to the first.
//
// Lives in the hub's network namespace and nowhere else: no interface, route or name of it is ever
// visible on the host. A service's link is handed out only when both of its ends carry traffic,
// because packets sent before the kernel's link watch has run are lost, and a client then waits a
// full second for its retry.
#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "base/unique_fd.h"

namespace isoenv {

struct InterfaceAddress {
  std::string ipv4;
  unsigned ipv4_prefix = 16;
  std::string ipv6;  ///< as inet_ntop(3) writes it; "" = no IPv6
  unsigned ipv6_prefix = 64;
};

/// Raises `lo` (127.0.0.1 and ::1) in the calling thread's network namespace. Throws SystemError
/// with code kCannotRun when the machine refuses.
void raise_loopback();

/// False when the kernel has no IPv6, or gives no interface an IPv6 address (ipv6.disable_ipv6=1 on
/// its command line).
bool kernel_has_ipv6();

/// While it lives, the calling thread is in the network namespace of the process behind `pidfd`
/// (setns(2) on a pidfd, Linux 5.8); sockets opened meanwhile belong to that namespace for good.
/// The process aborts when it cannot come back: nothing may ever run in the wrong namespace.
class NetworkNamespaceGuard {
 public:
  explicit NetworkNamespaceGuard(int pidfd);
  ~NetworkNamespaceGuard();
  NetworkNamespaceGuard(const NetworkNamespaceGuard&) = delete;
  NetworkNamespaceGuard& operator=(const NetworkNamespaceGuard&) = delete;

 private:
  UniqueFd home_;
};

class HubNetwork {
 public:
  /// Builds the bridge in the calling thread's network namespace, which becomes the hub. Throws
  /// SystemError with code kCannotRun when the machine refuses.
  HubNetwork(boost::asio::any_io_executor executor, const InterfaceAddress& address);
  ~HubNetwork();

  /// Gives the network namespace of a child of ours (`pid`, not yet reaped, and its `pidfd`) an
  /// `eth0` with `address`, connected to the bridge, and returns when all of that carries traffic
  /// and the kernel takes packets for its addresses. `number` is unique among the services of the
  /// instance. Throws SystemError, and Error when nothing carries after 30 s.
  boost::asio::awaitable<void> attach(unsigned number, pid_t pid, int pidfd,
                                      const InterfaceAddress& address);

  /// Removes the hub's end, and with it `eth0`. For a service that ended while the instance goes
  /// on.
  void detach(unsigned number) noexcept;

 private:
  struct State;
  class Awaiting;
  std::shared_ptr<State> state_;
};

}  // namespace isoenv
