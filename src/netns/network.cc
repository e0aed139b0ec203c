#include "netns/network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <netlink/addr.h>
#include <netlink/errno.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/inet6.h>
#include <netlink/route/link/macvlan.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <chrono>
#include <exception>
#include <fstream>
#include <optional>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "base/event.h"
#include "base/syscall.h"
#include "netns/announcement.h"
#include "netns/netlink.h"
#include "netns/refusal.h"

namespace isoenv {
namespace {

namespace asio = boost::asio;

struct RouteDeleter {
  void operator()(rtnl_link* link) const noexcept { rtnl_link_put(link); }
  void operator()(rtnl_addr* address) const noexcept { rtnl_addr_put(address); }
  void operator()(rtnl_neigh* neighbour) const noexcept { rtnl_neigh_put(neighbour); }
  void operator()(rtnl_route* route) const noexcept { rtnl_route_put(route); }
  void operator()(nl_addr* address) const noexcept { nl_addr_put(address); }
};
using Link = std::unique_ptr<rtnl_link, RouteDeleter>;
using Address = std::unique_ptr<rtnl_addr, RouteDeleter>;
using Neighbour = std::unique_ptr<rtnl_neigh, RouteDeleter>;
using Route = std::unique_ptr<rtnl_route, RouteDeleter>;
using RawAddress = std::unique_ptr<nl_addr, RouteDeleter>;

/// For a stream_descriptor whose descriptor is somebody else's.
struct ReleaseDescriptor {
  void operator()(asio::posix::stream_descriptor* events) const noexcept {
    (void)events->release();
  }
};

/// Interfaces are numbered by us, so that no answer has to be awaited to learn an index. `lo` is 1;
/// those above may be taken by tunnel devices that loaded modules put into every new namespace.
constexpr int kLoopbackIndex = 1;
constexpr int kHubIndex = 1000;   // eth0 of the hub
constexpr int kWireIndex = 1001;  // the other end of that pair, where the services' are
constexpr int kHubEnds[] = {kWireIndex, kHubIndex};
constexpr int kServiceIndex = 1000;  // eth0 of a service

/// It takes milliseconds, and a second or two where the machine is very busy with networks.
constexpr std::chrono::seconds kLongestLink{30};

RawAddress raw_address(const HardwareAddress& bytes) {
  RawAddress address(nl_addr_build(AF_LLC, bytes.data(), bytes.size()));
  if (!address) throw Error("cannot allocate a hardware address");
  return address;
}

RawAddress ip_address(const std::string& text) {
  nl_addr* address = nullptr;
  if (const int code = nl_addr_parse(text.c_str(), AF_UNSPEC, &address); code < 0)
    throw Error("cannot take '" + text + "' for an IP address: " + nl_geterror(code));
  return RawAddress(address);
}

/// Locally administered, of the `life`-th holder of a place: the kernel takes no second macvlan
/// interface with an address of one that there still is (macvlan_addr_busy, drivers/net/macvlan.c),
/// and that of an earlier life is until its namespace is gone.
HardwareAddress hardware_address(unsigned place, unsigned life) {
  const auto byte = [](unsigned value, unsigned number) {
    return static_cast<std::uint8_t>(value >> (8 * number) & 0xffU);
  };
  return {0x02, 0x69, byte(life, 1), byte(life, 0), byte(place, 1), byte(place, 0)};
}

constexpr unsigned kPlaceOfWire = 0;
constexpr unsigned kPlaceOfHub = 1;
constexpr unsigned kPlaceOfFirstService = 2;

Link named_link(int ifindex) {
  Link link(rtnl_link_alloc());
  if (!link) throw Error("cannot allocate a link object");
  rtnl_link_set_ifindex(link.get(), ifindex);
  return link;
}

/// Changes the flags of an interface: IFF_UP.
void add_raise(Netlink& netlink, int ifindex, const std::string& what) {
  netlink.add(what, [&](nl_msg** message) {
    const Link original = named_link(ifindex);
    const Link changes = named_link(ifindex);
    rtnl_link_set_flags(changes.get(), IFF_UP);
    return rtnl_link_build_change_request(original.get(), changes.get(), 0, message);
  });
}

/// No link-local address: without it an interface sends no duplicate address detection, router
/// solicitation or multicast report when it comes up (IN6_ADDR_GEN_MODE_NONE, linux/if_link.h).
void add_no_link_local(Netlink& netlink, int ifindex, const std::string& what) {
  netlink.add(what, [&](nl_msg** message) {
    const Link original = named_link(ifindex);
    const Link changes = named_link(ifindex);
    rtnl_link_inet6_set_addr_gen_mode(changes.get(), IN6_ADDR_GEN_MODE_NONE);
    return rtnl_link_build_change_request(original.get(), changes.get(), 0, message);
  });
}

using BuildAddressRequest = int (*)(rtnl_addr*, int flags, nl_msg**);

/// Addresses are unique by plan: no duplicate address detection.
void add_address_request(Netlink& netlink, BuildAddressRequest build, int flags, int ifindex,
                         const std::string& text, unsigned prefix, const std::string& what) {
  netlink.add(what, [&](nl_msg** message) -> int {
    const RawAddress local = ip_address(text);
    nl_addr_set_prefixlen(local.get(), static_cast<int>(prefix));
    const Address address(rtnl_addr_alloc());
    rtnl_addr_set_ifindex(address.get(), ifindex);
    if (const int code = rtnl_addr_set_local(address.get(), local.get()); code < 0) return code;
    if (nl_addr_get_family(local.get()) == AF_INET6)
      rtnl_addr_set_flags(address.get(), IFA_F_NODAD);
    return build(address.get(), flags, message);
  });
}

using BuildRouteRequest = int (*)(rtnl_route*, int flags, nl_msg**);

/// The route by which the kernel takes packets for an IPv6 address of its own. The one that it adds
/// itself, later, has another metric, so that there is room for both.
void add_local_route_request(Netlink& netlink, BuildRouteRequest build, int flags, int ifindex,
                             const std::string& ipv6, const std::string& what) {
  netlink.add(what, [&](nl_msg** message) -> int {
    const RawAddress destination = ip_address(ipv6);
    const Route route(rtnl_route_alloc());
    rtnl_nexthop* hop = route ? rtnl_route_nh_alloc() : nullptr;
    if (hop == nullptr) return -NLE_NOMEM;
    rtnl_route_nh_set_ifindex(hop, ifindex);
    rtnl_route_add_nexthop(route.get(), hop);  // which takes it
    rtnl_route_set_family(route.get(), AF_INET6);
    rtnl_route_set_table(route.get(), RT_TABLE_LOCAL);
    rtnl_route_set_type(route.get(), RTN_LOCAL);
    rtnl_route_set_protocol(route.get(), RTPROT_STATIC);
    rtnl_route_set_dst(route.get(), destination.get());
    return build(route.get(), flags, message);
  });
}

/// To an interface that is raised already: when one is raised that has IPv6 addresses, the kernel
/// makes their routes where it may not wait for memory, and silently drops an address when there is
/// none at hand (addrconf_permanent_addr, net/ipv6/addrconf.c). Some of a thousand services lost
/// theirs.
void add_addresses(Netlink& netlink, int ifindex, const InterfaceAddress& address,
                   const std::string& name) {
  const auto add = [&](const std::string& text, unsigned prefix) {
    add_address_request(netlink, rtnl_addr_build_add_request, NLM_F_CREATE | NLM_F_EXCL, ifindex,
                        text, prefix, "give " + name + " the address " + text);
  };
  add(address.ipv4, address.ipv4_prefix);
  if (address.ipv6.empty()) return;
  add(address.ipv6, address.ipv6_prefix);
  add_local_route_request(netlink, rtnl_route_build_add_request, NLM_F_CREATE | NLM_F_EXCL, ifindex,
                          address.ipv6, "give " + name + " a local route to " + address.ipv6);
}

/// Joins the group in which neighbours ask where `ipv6` is, its solicited-node multicast address
/// (RFC 4291, 2.7.1). `socket`, an AF_INET6 one of that namespace, holds it until it is closed.
void join_solicited_group(int socket, int ifindex, const std::string& ipv6) {
  in6_addr address{};
  ::inet_pton(AF_INET6, ipv6.c_str(), &address);
  ipv6_mreq group{};
  ::inet_pton(AF_INET6, "ff02::1:ff00:0", &group.ipv6mr_multiaddr);
  std::copy(address.s6_addr + 13, address.s6_addr + 16, group.ipv6mr_multiaddr.s6_addr + 13);
  group.ipv6mr_interface = static_cast<unsigned>(ifindex);
  if (::setsockopt(socket, IPPROTO_IPV6, IPV6_JOIN_GROUP, &group, sizeof group) != 0)
    throw_errno("join the group in which neighbours ask for " + ipv6);
}

void add_removals(Netlink& netlink, int ifindex, const InterfaceAddress& address) {
  const auto add = [&](const std::string& text, unsigned prefix) {
    add_address_request(netlink, rtnl_addr_build_delete_request, 0, ifindex, text, prefix,
                        "take the address " + text + " away");
  };
  add(address.ipv4, address.ipv4_prefix);
  if (address.ipv6.empty()) return;
  add(address.ipv6, address.ipv6_prefix);
  add_local_route_request(netlink, rtnl_route_build_del_request, 0, ifindex, address.ipv6,
                          "take the local route of " + address.ipv6 + " away");
}

/// That `address` is at `hardware`, for good: nobody has to ask for it. Of neighbours that were
/// asked for, the machine has 1,024 in all its network namespaces together (gc_thresh3, arp(7)),
/// and who wants one more waits until others are 5 s old; those that were told do not count.
void add_neighbour(Netlink& netlink, int ifindex, const InterfaceAddress& address,
                   const HardwareAddress& hardware, const std::string& name) {
  for (const std::string& text : {address.ipv4, address.ipv6}) {
    if (text.empty()) continue;
    netlink.add("tell where " + name + " is", [&](nl_msg** message) -> int {
      const RawAddress destination = ip_address(text);
      const Neighbour neighbour(rtnl_neigh_alloc());
      rtnl_neigh_set_ifindex(neighbour.get(), ifindex);
      rtnl_neigh_set_dst(neighbour.get(), destination.get());
      rtnl_neigh_set_lladdr(neighbour.get(), raw_address(hardware).get());
      rtnl_neigh_set_state(neighbour.get(), NUD_PERMANENT);
      return rtnl_neigh_build_add_request(neighbour.get(), NLM_F_CREATE | NLM_F_REPLACE, message);
    });
  }
}

/// One queue each: more cost time and carry nothing more.
void describe(rtnl_link* link, int ifindex, const char* name, const HardwareAddress& address) {
  rtnl_link_set_ifindex(link, ifindex);
  rtnl_link_set_name(link, name);
  rtnl_link_set_addr(link, raw_address(address).get());
  rtnl_link_set_num_tx_queues(link, 1);
  rtnl_link_set_num_rx_queues(link, 1);
}

Link hub_pair() {
  Link wire(rtnl_link_veth_alloc());
  if (!wire) throw Error("cannot allocate a veth object");
  describe(wire.get(), kWireIndex, "wire", hardware_address(kPlaceOfWire, 0));
  rtnl_link* hub = rtnl_link_veth_get_peer(wire.get());  // takes a reference
  describe(hub, kHubIndex, "eth0", hardware_address(kPlaceOfHub, 0));
  rtnl_link_put(hub);
  return wire;
}

/// Born in the service's namespace: moving it there later would cost an RCU grace period.
Link service_link(pid_t pid, const HardwareAddress& address) {
  Link link(rtnl_link_macvlan_alloc());
  if (!link) throw Error("cannot allocate a macvlan object");
  describe(link.get(), kServiceIndex, "eth0", address);
  rtnl_link_set_link(link.get(), kWireIndex);
  rtnl_link_set_ns_pid(link.get(), pid);
  rtnl_link_macvlan_set_mode(link.get(), MACVLAN_MODE_BRIDGE);
  return link;
}

/// Returns when the kernel has told, on `news`, that both ends of the hub's link carry traffic.
asio::awaitable<void> until_usable(asio::any_io_executor executor, Netlink& news) {
  asio::posix::stream_descriptor events(executor, news.fd());
  const std::unique_ptr<asio::posix::stream_descriptor, ReleaseDescriptor> borrowed(&events);
  asio::steady_timer limit(executor, kLongestLink);
  bool late = false;
  limit.async_wait([&](const boost::system::error_code& cancelled) {
    if (cancelled) return;
    late = true;
    boost::system::error_code ignored;
    events.cancel(ignored);
  });
  const auto usable = [&] {
    return std::all_of(std::begin(kHubEnds), std::end(kHubEnds),
                       [&](int ifindex) { return news.is_up(ifindex); });
  };
  while (!usable()) {
    boost::system::error_code error;
    co_await events.async_wait(asio::posix::stream_descriptor::wait_read,
                               asio::redirect_error(asio::use_awaitable, error));
    if (late) {
      throw Error("its link carries no traffic after " + std::to_string(kLongestLink.count()) +
                  " s, by what the kernel tells of it");
    }
    if (error) throw SystemError(error.value(), "wait for a link");
    news.read_events();
  }
}

UniqueFd namespace_of(int socket) {
  UniqueFd home(::ioctl(socket, SIOCGSKNS));
  if (!home) throw_errno("find the network namespace of a socket");
  return home;
}

}  // namespace

void raise_loopback() {
  or_refuse(Attempt::kNetwork, [] {
    Netlink netlink;
    add_raise(netlink, kLoopbackIndex, "raise the loopback interface");
    netlink.commit();
  });
}

bool kernel_has_ipv6() {
  if (::access("/proc/sys/net/ipv6", F_OK) != 0) return false;
  // New network namespaces start with the module's parameter, not with the host's sysctls
  // (addrconf_init_net, net/ipv6/addrconf.c).
  std::ifstream disabled("/sys/module/ipv6/parameters/disable_ipv6");
  int value = 0;
  if ((disabled >> value) && value != 0) return false;
  return try_open_ipv6() || !means_no_such_socket(errno);
}

void in_network_namespace(int fd, const std::function<void()>& work) {
  std::exception_ptr failure;
  const auto enter_and_work = [&] {
    try {
      const std::string step = "enter a service's network namespace";
      if (::setns(fd, CLONE_NEWNET) != 0) {
        if (errno == ESRCH) throw_errno(step);  // it has ended
        refuse(step, Attempt::kNetwork);
      }
      work();
    } catch (...) {
      failure = std::current_exception();
    }
  };
  try {
    std::thread(enter_and_work).join();
  } catch (const std::system_error& error) {
    throw SystemError(error.code().value(), "start a thread");
  }
  if (failure) std::rethrow_exception(failure);
}

void silence(int socket, const InterfaceAddress& address) {
  std::optional<Netlink> netlink;
  in_network_namespace(*namespace_of(socket), [&] { netlink.emplace(); });
  add_removals(*netlink, kServiceIndex, address);
  try {
    netlink->commit();
  } catch (const SystemError& error) {
    const int number = error.error_number();
    const bool gone = number == EADDRNOTAVAIL || number == ENODEV || number == ESRCH;
    if (!gone) throw;
  }
}

struct HubNetwork::State {
  State(const asio::any_io_executor& executor, InterfaceAddress hub)
      : address(std::move(hub)), usable(executor) {}

  InterfaceAddress address;  // the hub's
  UniqueFd ipv6;             // holds the group in which its IPv6 address is asked for
  Netlink requests;
  std::optional<Netlink> news;  // until the hub's own link is usable
  std::exception_ptr failure;   // why it will not be
  Event usable;
  std::unordered_map<unsigned, unsigned> lives;  // of each service, so far
};

HubNetwork::HubNetwork(asio::any_io_executor executor, const InterfaceAddress& address)
    : executor_(executor) {
  or_refuse(Attempt::kNetwork, [&] {
    state_ = std::make_shared<State>(executor, address);
    state_->news.emplace();
    state_->news->watch_links();
    Netlink& netlink = state_->requests;
    add_raise(netlink, kLoopbackIndex, "raise the loopback interface");
    const auto build = [](nl_msg** message) {
      return rtnl_link_build_add_request(hub_pair().get(), NLM_F_CREATE | NLM_F_EXCL, message);
    };
    netlink.add("create a veth pair", build, Call::kVeth);
    for (const int ifindex : kHubEnds) {
      if (!address.ipv6.empty()) add_no_link_local(netlink, ifindex, "configure the hub's link");
      add_raise(netlink, ifindex, "raise the hub's link");
    }
    add_addresses(netlink, kHubIndex, address, "the hub");
    netlink.commit();
    if (address.ipv6.empty()) return;
    state_->ipv6 = try_open_ipv6();
    if (!state_->ipv6) throw_errno("open an IPv6 socket");
    join_solicited_group(*state_->ipv6, kHubIndex, address.ipv6);
  });
  asio::co_spawn(executor_, become_usable(executor_, state_), asio::detached);
}

HubNetwork::~HubNetwork() = default;

asio::awaitable<void> HubNetwork::become_usable(asio::any_io_executor executor,
                                                std::shared_ptr<State> state) {
  try {
    co_await until_usable(executor, *state->news);
  } catch (const Error&) {
    state->failure = std::current_exception();
  }
  state->news.reset();
  state->usable.notify_all();
}

asio::awaitable<void> HubNetwork::attach(unsigned number, pid_t pid, UniqueFd route, int ipv6,
                                         const InterfaceAddress& address) {
  while (state_->news) co_await state_->usable.wait();
  if (state_->failure) std::rethrow_exception(state_->failure);
  const unsigned life = state_->lives[number]++;
  const HardwareAddress hardware = hardware_address(kPlaceOfFirstService + number, life);
  Netlink& hub = state_->requests;
  const auto build = [&](nl_msg** message) {
    return rtnl_link_build_add_request(service_link(pid, hardware).get(), NLM_F_CREATE | NLM_F_EXCL,
                                       message);
  };
  hub.add("create a macvlan interface", build, Call::kMacvlan);
  add_neighbour(hub, kHubIndex, address, hardware, "a service");
  or_refuse(Attempt::kNetwork, [&] { hub.commit(); });

  Netlink service(std::move(route));
  if (!address.ipv6.empty()) add_no_link_local(service, kServiceIndex, "configure eth0");
  add_raise(service, kLoopbackIndex, "raise the service's loopback interface");
  add_raise(service, kServiceIndex, "raise eth0");
  add_addresses(service, kServiceIndex, address, "eth0");
  add_neighbour(service, kServiceIndex, state_->address, hardware_address(kPlaceOfHub, 0),
                "the hub");
  service.commit();
  if (!address.ipv6.empty()) join_solicited_group(ipv6, kServiceIndex, address.ipv6);

  if (life > 0) {
    in_network_namespace(*namespace_of(service.fd()),
                         [&] { announce(kServiceIndex, hardware, address.ipv4, address.ipv6); });
  }
}

}  // namespace isoenv
