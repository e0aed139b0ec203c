#include "env/loopback_site.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "plan/addressing.h"
#include "process/process_tree.h"

namespace isoenv {
namespace {

SocketDiag open_sockets_list() {
  try {
    return {};
  } catch (const Error& error) {
    throw Error(error.what(), ExitCode::kCannotRun,
                "without namespaces isoenv asks the kernel which process listens where "
                "(NETLINK_SOCK_DIAG): allow netlink sockets here");
  }
}

}  // namespace

ReservedPorts reserve_ports(const EnvironmentSpec& spec, const std::string& instance,
                            const std::function<std::string(const PortHolder&)>& explain) {
  ReservedPorts reserved;
  std::set<std::uint16_t> avoided;
  std::vector<std::string> refusals;
  for (const ServiceSpec& service : spec.services) {
    for (const auto* forwards : {&service.publish, &service.localhost}) {
      for (const ForwardSpec& forward : *forwards) avoided.insert(forward.number);
    }
    for (const PortSpec& port : service.ports) {
      if (port.number == 0) continue;
      avoided.insert(port.number);
      const auto refusal = reserved.reservations.take(port.protocol, port.number, instance);
      if (!refusal) continue;
      refusals.push_back("port " + std::to_string(port.number) + " of '" + service.name + "' ('" +
                         port.name + "') cannot be had: " + refusal->why +
                         explain(refusal->holder));
    }
  }
  if (!refusals.empty()) {
    throw Error(join(refusals, "\n"), ExitCode::kEnvironmentFailed,
                "stop that process, or write \"auto\" instead of the number; with namespaces ports "
                "never meet (see 'isoenv doctor')");
  }
  for (const Protocol protocol : assigned_protocols(spec)) {
    reserved.assigned.push_back(reserved.reservations.take_any(protocol, avoided));
  }
  return reserved;
}

LoopbackSite::LoopbackSite(boost::asio::any_io_executor executor, const EnvironmentPlan& plan,
                           PortReservations reservations, std::vector<PublishedPort> published)
    : plan_(plan),
      sockets_(open_sockets_list()),
      reservations_(std::move(reservations)),
      published_(executor, plan, std::move(published)),
      inits_(plan.services.size(), 0) {
  reservations_.adopt();
}

void LoopbackSite::prepare(std::size_t service, InitPlan& init) {
  init.ends_tree = true;
  // A service that has ended gave its UDP ports back to us, and may not have got them all.
  for (const PortPlan& port : plan_.services[service].ports) {
    if (reservations_.take_back(port.protocol, port.number)) continue;
    const auto holder = find_port_holder(port.protocol, port.number);
    throw Error("port " + std::to_string(port.number) + " ('" + port.name + "') is taken by " +
                (holder ? describe(*holder) : "an unknown process"));
  }
}

boost::asio::awaitable<void> LoopbackSite::connect(std::size_t service, Sandbox& sandbox) {
  inits_[service] = sandbox.pid();
  for (const PortPlan& port : plan_.services[service].ports) {
    reservations_.lend(port.protocol, port.number);
  }
  co_return;
}

std::vector<BoundSocket> LoopbackSite::all_listening(Protocol protocol) {
  return protocol == Protocol::kTcp ? sockets_.tcp_listeners() : sockets_.udp_sockets();
}

std::vector<BoundSocket> LoopbackSite::listening(std::size_t service, Protocol protocol) {
  std::vector<BoundSocket> sockets = all_listening(protocol);
  if (sockets.empty() || inits_[service] == 0) return {};
  const std::set<std::uint64_t> own = open_sockets(processes_below(inits_[service]));
  std::erase_if(sockets,
                [&](const BoundSocket& socket) { return !own.contains(socket.owner.inode); });
  return sockets;
}

std::string LoopbackSite::other_holder(std::size_t service, Protocol protocol, std::uint16_t port) {
  const std::vector<BoundSocket> own = listening(service, protocol);
  for (const BoundSocket& socket : all_listening(protocol)) {
    const auto same = [&](const BoundSocket& candidate) {
      return candidate.owner.inode == socket.owner.inode;
    };
    if (socket.port != port || std::any_of(own.begin(), own.end(), same)) continue;
    const auto [known, fresh] = known_holders_.emplace(socket.owner.inode, "");
    if (fresh) known->second = describe(find_socket_holder(socket.owner.inode, socket.owner.user));
    return known->second;
  }
  return "";
}

void LoopbackSite::withdraw(std::size_t service) noexcept {
  for (const PortPlan& port : plan_.services[service].ports) {
    (void)reservations_.take_back(port.protocol, port.number);  // asked again before the next start
  }
}

void LoopbackSite::give_back_ports() noexcept {
  reservations_ = {};
  published_.close();
}

void LoopbackSite::init_ended(pid_t init, bool killed) noexcept {
  std::replace(inits_.begin(), inits_.end(), init, pid_t{0});
  if (!killed) return;
  std::vector<pid_t> living;
  std::copy_if(inits_.begin(), inits_.end(), std::back_inserter(living),
               [](pid_t other) { return other != 0; });
  end_descendants(living);
}

std::vector<std::string> LoopbackSite::published(std::size_t service) const {
  return published_.describe(service);
}

}  // namespace isoenv
