// The private network of one instance: a veth pair in the hub, one end of which is the hub's eth0;
// on the other, a macvlan interface for each service, its eth0.
//
// Lives in the hub's network namespace and those of the services: no interface, route or name of it
// is ever visible on the host. macvlan interfaces of one parent reach each other, and whoever is at
// the other end of the pair (mode `bridge`, drivers/net/macvlan.c). In place of a bridge with a
// pair for each service that is half the interfaces, and none whose removal holds up every other
// change of the machine's interfaces, as a bridge's does.
//
// What is sent before the kernel's link watch has run is lost, and a client then waits a full
// second for its retry. The watch runs for the pair alone, before the first service is attached: a
// macvlan interface that is raised when its parent carries can send at once.
//
// An IPv6 address is not in use when it has been added, not even without duplicate address
// detection: some time later a kernel thread joins the group in which neighbours ask for it, and
// adds its local route (addrconf_dad_begin, net/ipv6/addrconf.c). What is sent to it before is lost
// too. Nobody waits for that thread: both is done here.
#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
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

/// False when the kernel has no IPv6, gives no interface an IPv6 address (ipv6.disable_ipv6=1 on
/// its command line), or has no IPv6 sockets for us.
bool kernel_has_ipv6();

/// Runs `work` in the network namespace that `fd` stands for, or in which the process behind it is
/// (setns(2) on a pidfd, Linux 5.8); sockets it opens belong to that namespace for good. It runs on
/// a thread of its own, which is awaited: the calling one never leaves its namespace, since that is
/// where commands join an instance (join_namespaces) at any moment. Throws SystemError, and what
/// `work` throws.
void in_network_namespace(int fd, const std::function<void()>& work);

/// Takes the `address` of an eth0, and its local route, away, in the network namespace in which
/// `socket` was opened. For one that ended: as long as its namespace lives, its kernel answers for
/// that address, which the next life of the service has too. Nothing happens when it has none, or
/// there is no eth0. Throws Error.
void silence(int socket, const InterfaceAddress& address);

class HubNetwork {
 public:
  /// Builds the hub's link in the calling thread's network namespace, which becomes the hub. Throws
  /// SystemError with code kCannotRun when the machine refuses.
  HubNetwork(boost::asio::any_io_executor executor, const InterfaceAddress& address);
  ~HubNetwork();

  /// Gives the network namespace of a child of ours (`pid`, not yet reaped) an `eth0` with
  /// `address`, and returns when the kernel takes packets for it. Of that namespace are `route`, a
  /// bound NETLINK_ROUTE socket, and `ipv6`, one of AF_INET6, not needed without such an address,
  /// by which it is found as long as it is open. `number` is unique among the services of the
  /// instance; when it is not its first, that of before is silenced already, and all its neighbours
  /// are told of the new. Throws SystemError, and Error when the hub's link does not carry after
  /// 30 s.
  boost::asio::awaitable<void> attach(unsigned number, pid_t pid, UniqueFd route, int ipv6,
                                      const InterfaceAddress& address);

 private:
  struct State;
  static boost::asio::awaitable<void> become_usable(boost::asio::any_io_executor executor,
                                                    std::shared_ptr<State> state);

  boost::asio::any_io_executor executor_;
  std::shared_ptr<State> state_;
};

}  // namespace isoenv
