#include "netns/network.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <netlink/addr.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/inet6.h>
#include <netlink/route/link/veth.h>
#include <sched.h>
#include <unistd.h>

#include <boost/asio/error.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/syscall.h"
#include "netns/netlink.h"
#include "netns/refusal.h"

namespace isoenv {
namespace {

namespace asio = boost::asio;

struct RouteDeleter {
  void operator()(rtnl_link* link) const noexcept { rtnl_link_put(link); }
  void operator()(rtnl_addr* address) const noexcept { rtnl_addr_put(address); }
  void operator()(nl_addr* address) const noexcept { nl_addr_put(address); }
};
using Link = std::unique_ptr<rtnl_link, RouteDeleter>;
using Address = std::unique_ptr<rtnl_addr, RouteDeleter>;
using RawAddress = std::unique_ptr<nl_addr, RouteDeleter>;

/// Interfaces are numbered by us, so that no answer has to be awaited to learn an index. `lo` is 1;
/// those above may be taken by tunnel devices that loaded modules put into every new namespace.
constexpr int kLoopbackIndex = 1;
constexpr int kBridgeIndex = 1000;
constexpr int kServiceIndex = 1000;
constexpr int kFirstPortIndex = 1001;
constexpr int kBranchIndex = 100'000;  // + the branch: a bridge, and the two ends of its link
constexpr int kBranchEndIndex = 200'000;
constexpr int kTrunkEndIndex = 300'000;
constexpr const char* kBridgeName = "br0";

/// For each port that a bridge gets or raises, the kernel walks through all that it has (br_add_if
/// and br_port_state_selection, net/bridge), and 1023 is the most. So the first services are on the
/// hub's bridge, and every so many more on a branch: a bridge with a link to the hub's.
constexpr unsigned kPortsOfABridge = 200;

/// It takes milliseconds, and a second or two where the machine is very busy with networks.
constexpr std::chrono::seconds kLongestLink{30};

int port_index(unsigned number) { return kFirstPortIndex + static_cast<int>(number); }
unsigned branch_of(unsigned number) { return number / kPortsOfABridge; }
int on_branch(int index, unsigned branch) { return index + static_cast<int>(branch); }
int bridge_index(unsigned branch) {
  return branch == 0 ? kBridgeIndex : on_branch(kBranchIndex, branch);
}

/// A locally administered hardware address that depends on the place alone: when a service starts
/// again, its neighbours' ARP entries still hold, and the bridge keeps its own whatever joins it.
void set_hardware_address(rtnl_link* link, unsigned place) {
  const unsigned char bytes[6] = {0x02,
                                  0x69,
                                  0x73,
                                  0x6f,
                                  static_cast<unsigned char>(place >> 8U & 0xffU),
                                  static_cast<unsigned char>(place & 0xffU)};
  const RawAddress address(nl_addr_build(AF_LLC, bytes, sizeof bytes));
  if (!address) throw Error("cannot allocate a hardware address");
  rtnl_link_set_addr(link, address.get());
}

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

void add_address(Netlink& netlink, int ifindex, const std::string& text, unsigned prefix,
                 const std::string& what) {
  const bool ipv6 = text.find(':') != std::string::npos;
  netlink.add(what, [&](nl_msg** message) -> int {
    nl_addr* raw = nullptr;
    if (const int code = nl_addr_parse(text.c_str(), ipv6 ? AF_INET6 : AF_INET, &raw); code < 0) {
      return code;
    }
    const RawAddress local(raw);
    nl_addr_set_prefixlen(local.get(), static_cast<int>(prefix));
    const Address address(rtnl_addr_alloc());
    rtnl_addr_set_ifindex(address.get(), ifindex);
    if (const int code = rtnl_addr_set_local(address.get(), local.get()); code < 0) return code;
    // Addresses are unique by plan: no duplicate address detection, usable at once.
    if (ipv6) rtnl_addr_set_flags(address.get(), IFA_F_NODAD);
    return rtnl_addr_build_add_request(address.get(), NLM_F_CREATE | NLM_F_EXCL, message);
  });
}

/// To an interface that is raised already: when one is raised that has IPv6 addresses, the kernel
/// makes their routes where it may not wait for memory, and silently drops an address when there is
/// none at hand (addrconf_permanent_addr, net/ipv6/addrconf.c). Some of a thousand services lost
/// theirs.
void add_addresses(Netlink& netlink, int ifindex, const InterfaceAddress& address,
                   const std::string& name) {
  add_address(netlink, ifindex, address.ipv4, address.ipv4_prefix,
              "give " + name + " the address " + address.ipv4);
  if (address.ipv6.empty()) return;
  add_address(netlink, ifindex, address.ipv6, address.ipv6_prefix,
              "give " + name + " the address " + address.ipv6);
}

Link make_bridge(int ifindex, const std::string& name, unsigned place) {
  Link bridge = named_link(ifindex);
  rtnl_link_set_name(bridge.get(), name.c_str());
  if (rtnl_link_set_type(bridge.get(), "bridge") < 0) throw Error("cannot describe a bridge");
  set_hardware_address(bridge.get(), place);
  return bridge;
}

/// Puts an interface on a bridge and raises it.
void add_to_bridge(Netlink& netlink, int ifindex, int bridge, const std::string& what) {
  netlink.add(what, [&](nl_msg** message) {
    const Link original = named_link(ifindex);
    const Link changes = named_link(ifindex);
    rtnl_link_set_master(changes.get(), bridge);
    rtnl_link_set_flags(changes.get(), IFF_UP);
    return rtnl_link_build_change_request(original.get(), changes.get(), 0, message);
  });
}

/// With br_netfilter, what bridges forward passes the hooks of iptables, which have no rules here.
/// A namespace has settings of its own since Linux 5.3 (net/bridge/br_netfilter_hooks.c) and none
/// in sight before: then there is nothing to change.
void forward_without_filters() {
  for (const char* setting : {"/proc/sys/net/bridge/bridge-nf-call-arptables",
                              "/proc/sys/net/bridge/bridge-nf-call-iptables",
                              "/proc/sys/net/bridge/bridge-nf-call-ip6tables"}) {
    (void)write_file(setting, "0");
  }
}

/// A bridge of its own for more services, and its link to the hub's.
void add_branch(Netlink& netlink, unsigned branch, bool ipv6) {
  const int bridge = bridge_index(branch);
  const int near = on_branch(kTrunkEndIndex, branch);
  const int far = on_branch(kBranchEndIndex, branch);
  const std::string number = std::to_string(branch);
  netlink.add("create a further bridge", [&](nl_msg** message) {
    const Link link = make_bridge(bridge, "br" + number, 0xff00U + branch);
    return rtnl_link_build_add_request(link.get(), NLM_F_CREATE | NLM_F_EXCL, message);
  });
  netlink.add("create the link between two bridges", [&](nl_msg** message) {
    const Link link(rtnl_link_veth_alloc());
    if (!link) throw Error("cannot allocate a veth object");
    rtnl_link_set_name(link.get(), ("trunk" + number).c_str());
    rtnl_link_set_ifindex(link.get(), near);
    rtnl_link* peer = rtnl_link_veth_get_peer(link.get());  // takes a reference
    rtnl_link_set_name(peer, ("branch" + number).c_str());
    rtnl_link_set_ifindex(peer, far);
    rtnl_link_put(peer);
    return rtnl_link_build_add_request(link.get(), NLM_F_CREATE | NLM_F_EXCL, message);
  });
  if (ipv6) {
    for (const int ifindex : {bridge, near, far})
      add_no_link_local(netlink, ifindex, "configure a further bridge");
  }
  // Before it has a port that carries: a device that comes up with its carrier has nothing to do
  // for which the kernel's link watch would hurry, and is told of up to a second later
  // (linkwatch_urgent_event, net/core/link_watch.c).
  add_raise(netlink, bridge, "raise a further bridge");
  add_to_bridge(netlink, near, kBridgeIndex, "connect two bridges");
  add_to_bridge(netlink, far, bridge, "connect two bridges");
}

/// Both ends in one request, the far one born in the service's namespace: moving it there later
/// would cost an RCU grace period.
Link make_veth(unsigned number, pid_t pid) {
  Link link(rtnl_link_veth_alloc());
  if (!link) throw Error("cannot allocate a veth object");
  rtnl_link_set_name(link.get(), ("s" + std::to_string(number)).c_str());
  rtnl_link_set_ifindex(link.get(), port_index(number));
  rtnl_link_set_master(link.get(), bridge_index(branch_of(number)));
  rtnl_link_set_num_tx_queues(link.get(), 1);
  rtnl_link_set_num_rx_queues(link.get(), 1);
  rtnl_link* peer = rtnl_link_veth_get_peer(link.get());  // takes a reference
  rtnl_link_set_name(peer, "eth0");
  rtnl_link_set_ifindex(peer, kServiceIndex);
  rtnl_link_set_ns_pid(peer, pid);
  set_hardware_address(peer, number + 2);
  rtnl_link_set_num_tx_queues(peer, 1);
  rtnl_link_set_num_rx_queues(peer, 1);
  rtnl_link_put(peer);
  return link;
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
  return !(disabled >> value) || value == 0;
}

NetworkNamespaceGuard::NetworkNamespaceGuard(int pidfd)
    : home_(open_or_throw("/proc/self/ns/net", O_RDONLY)) {
  if (::setns(pidfd, CLONE_NEWNET) == 0) return;
  const std::string step = "enter a service's network namespace";
  if (errno == ESRCH) throw_errno(step);  // it has ended
  refuse(step, Attempt::kNetwork);
}

NetworkNamespaceGuard::~NetworkNamespaceGuard() {
  if (::setns(*home_, CLONE_NEWNET) != 0) {
    std::fputs("isoenv: cannot return to the hub's network namespace\n", stderr);
    std::abort();
  }
}

struct HubNetwork::State {
  State(asio::any_io_executor executor, std::string ipv6)
      : events(executor, news.fd()), awaited_ipv6(std::move(ipv6)) {
    if (!awaited_ipv6.empty()) news.watch_addresses();
  }
  ~State() { (void)events.release(); }

  Netlink requests;
  Netlink news;  // apart: those that come faster than they are read must not displace an answer
  asio::posix::stream_descriptor events;  // borrows the descriptor of `news`
  std::string awaited_ipv6;               // the bridge's, until it is in use
  std::set<unsigned> branches;
  std::set<unsigned> awaited;  // services whose links are being made

  /// Link events reach us only while a link is made: they come at any time later too, for nobody.
  void await(unsigned number) {
    if (awaited.empty()) {
      news.watch_links();
      look();
    }
    news.learn({{port_index(number), {}}});  // not that of an earlier life
    awaited.insert(number);
  }
  void forget(unsigned number) noexcept {
    awaited.erase(number);
    if (awaited.empty()) news.ignore_links();
  }

  void read_news() {
    if (news.read_events()) return;
    while (!news.read_events()) continue;
    stop_awaiting_address();  // older than all that can have been lost
    look();
  }
  void stop_awaiting_address() noexcept {
    if (awaited_ipv6.empty()) return;
    awaited_ipv6.clear();
    news.ignore_addresses();
  }

  /// What news do not tell: how it was before them, and what some said that were lost.
  void look() {
    std::vector<int> interfaces{kBridgeIndex};
    for (const unsigned branch : branches) {
      for (const int ifindex : {bridge_index(branch), on_branch(kTrunkEndIndex, branch),
                                on_branch(kBranchEndIndex, branch)})
        interfaces.push_back(ifindex);
    }
    for (const unsigned number : awaited) interfaces.push_back(port_index(number));
    Netlink asking;
    for (const int ifindex : interfaces) {
      try {
        asking.add_question(ifindex);
        asking.commit();
      } catch (const Error&) {
        // It has not been made yet.
      }
    }
    news.learn(asking.link_states());
  }

  /// True when a service with this number would be heard, and hear, on its bridge and the hub's.
  bool carries(unsigned number) const {
    const unsigned branch = branch_of(number);
    const auto up = [&](int ifindex) { return news.link_state(ifindex).operstate_up; };
    const auto forwards = [&](int ifindex) {
      return up(ifindex) && news.link_state(ifindex).forwarding;
    };
    if (!forwards(port_index(number)) || !up(kBridgeIndex) || !news.accepts(awaited_ipv6))
      return false;
    return branch == 0 ||
           (up(bridge_index(branch)) && forwards(on_branch(kTrunkEndIndex, branch)) &&
            forwards(on_branch(kBranchEndIndex, branch)));
  }
};

/// While it lives, news of a service's link are awaited.
class HubNetwork::Awaiting {
 public:
  Awaiting(std::shared_ptr<State> state, unsigned number)
      : state_(std::move(state)), number_(number) {
    state_->await(number_);
  }
  ~Awaiting() { state_->forget(number_); }
  Awaiting(const Awaiting&) = delete;
  Awaiting& operator=(const Awaiting&) = delete;

 private:
  std::shared_ptr<State> state_;
  unsigned number_;
};

HubNetwork::HubNetwork(asio::any_io_executor executor, const InterfaceAddress& address) {
  or_refuse(Attempt::kNetwork, [&] {
    state_ = std::make_shared<State>(executor, address.ipv6);
    Netlink& netlink = state_->requests;
    forward_without_filters();
    add_raise(netlink, kLoopbackIndex, "raise the loopback interface");
    const auto build = [](nl_msg** message) {
      const Link bridge = make_bridge(kBridgeIndex, kBridgeName, 1);
      return rtnl_link_build_add_request(bridge.get(), NLM_F_CREATE | NLM_F_EXCL, message);
    };
    netlink.add("create the bridge", build, Call::kBridge);
    if (!address.ipv6.empty()) add_no_link_local(netlink, kBridgeIndex, "configure the bridge");
    add_raise(netlink, kBridgeIndex, "raise the bridge");
    add_addresses(netlink, kBridgeIndex, address, "the bridge");
    netlink.commit();
  });
}

HubNetwork::~HubNetwork() = default;

asio::awaitable<void> HubNetwork::attach(unsigned number, pid_t pid, int pidfd,
                                         const InterfaceAddress& address) {
  const Awaiting awaiting(state_, number);
  Netlink& hub = state_->requests;
  const int port = port_index(number);
  const unsigned branch = branch_of(number);
  if (branch > 0 && !state_->branches.contains(branch)) {
    add_branch(hub, branch, !address.ipv6.empty());
    or_refuse(Attempt::kNetwork, [&] { hub.commit(); });
    state_->branches.insert(branch);
  }
  const auto build = [&](nl_msg** message) {
    return rtnl_link_build_add_request(make_veth(number, pid).get(), NLM_F_CREATE | NLM_F_EXCL,
                                       message);
  };
  hub.add("create a veth pair", build, Call::kVeth);
  if (!address.ipv6.empty()) add_no_link_local(hub, port, "configure a bridge port");
  add_raise(hub, port, "raise a bridge port");
  or_refuse(Attempt::kNetwork, [&] { hub.commit(); });

  std::unique_ptr<Netlink> service;
  {
    const NetworkNamespaceGuard inside(pidfd);
    service = std::make_unique<Netlink>();
  }
  service->watch_links();
  if (!address.ipv6.empty()) {
    service->watch_addresses();
    add_no_link_local(*service, kServiceIndex, "configure eth0");
  }
  add_raise(*service, kLoopbackIndex, "raise the service's loopback interface");
  add_raise(*service, kServiceIndex, "raise eth0");
  add_addresses(*service, kServiceIndex, address, "eth0");
  service->commit();

  asio::posix::stream_descriptor service_events(state_->events.get_executor(), service->fd());
  bool late = false;
  asio::steady_timer limit(state_->events.get_executor(), kLongestLink);
  limit.async_wait([&](const boost::system::error_code& cancelled) {
    if (cancelled) return;
    late = true;
    boost::system::error_code ignored;
    service_events.cancel(ignored);
    state_->events.cancel(ignored);  // the others ask again
  });
  boost::system::error_code error;
  const auto is_up = [&] {
    return service->link_state(kServiceIndex).operstate_up && service->accepts(address.ipv6);
  };
  const auto goes_on = [&] { return !late && (!error || error == asio::error::operation_aborted); };
  while (!is_up() && goes_on()) {
    co_await service_events.async_wait(asio::posix::stream_descriptor::wait_read,
                                       asio::redirect_error(asio::use_awaitable, error));
    (void)service->read_events();  // a handful: none is lost
  }
  (void)service_events.release();
  while (!state_->carries(number) && goes_on()) {
    co_await state_->events.async_wait(asio::posix::stream_descriptor::wait_read,
                                       asio::redirect_error(asio::use_awaitable, error));
    state_->read_news();
  }
  if (late) {
    throw Error("its link carries no traffic after " + std::to_string(kLongestLink.count()) +
                " s, by what the kernel tells of it");
  }
  if (!goes_on()) throw SystemError(error.value(), "wait for a link");
  state_->stop_awaiting_address();
}

void HubNetwork::detach(unsigned number) noexcept {
  try {
    Netlink netlink;
    netlink.add("remove a bridge port", [&](nl_msg** message) {
      return rtnl_link_build_delete_request(named_link(port_index(number)).get(), message);
    });
    netlink.commit();
  } catch (const Error&) {
    // The kernel removed it together with the service's namespace.
  }
}

}  // namespace isoenv
