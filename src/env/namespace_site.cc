#include "env/namespace_site.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace isoenv {
namespace {

bool has_low_port(const ServicePlan& plan) {
  return std::any_of(plan.ports.begin(), plan.ports.end(),
                     [](const PortPlan& port) { return port.number < 1024; });
}

}  // namespace

NamespaceSite::NamespaceSite(boost::asio::any_io_executor executor, const EnvironmentPlan& plan,
                             std::vector<PublishedPort> published)
    : executor_(executor),
      plan_(plan),
      opened_(executor),
      published_(executor, plan, std::move(published)),
      links_(plan.services.size()) {}

void NamespaceSite::open() {
  try {
    hub_.emplace(executor_, InterfaceAddress{plan_.hub_ipv4, plan_.ipv4_prefix, plan_.hub_ipv6,
                                             plan_.ipv6_prefix});
  } catch (const Error&) {
    failure_ = std::current_exception();
  }
  opened_.notify_all();
  if (failure_) std::rethrow_exception(failure_);
}

void NamespaceSite::prepare(std::size_t service, InitPlan& init) {
  const ServicePlan& plan = plan_.services[service];
  init.passes_sockets = true;
  init.hostname = plan.name;
  init.own_proc = true;
  init.own_sys = true;
  init.protect_settings = ::geteuid() == 0;
  init.low_ports = true;
  init.essential_low_ports = has_low_port(plan) && ::geteuid() != 0;
}

boost::asio::awaitable<void> NamespaceSite::connect(std::size_t service, Sandbox& sandbox) {
  while (!hub_ && !failure_) co_await opened_.wait();
  if (failure_) std::rethrow_exception(failure_);
  const ServicePlan& plan = plan_.services[service];
  Link& link = links_[service];
  end_earlier_life(service);
  NetworkSockets sockets = sandbox.take_sockets();
  link.sockets.emplace(std::move(sockets.diagnosis));
  link.ipv6 = std::move(sockets.ipv6);
  co_await hub_->attach(static_cast<unsigned>(service), sandbox.pid(), std::move(sockets.route),
                        *link.ipv6, address_of(plan));
  for (const ForwardPlan& forward : plan.localhost) {
    with_frame("offering port '" + forward.port + "' on localhost", [&] {
      link.localhost.emplace_back(executor_, listen_on_loopback(forward.number, !plan.ipv6.empty()),
                                  plan.ipv4, forward.target);
    });
  }
}

std::vector<BoundSocket> NamespaceSite::listening(std::size_t service, Protocol protocol) {
  std::optional<SocketDiag>& sockets = links_[service].sockets;
  if (!sockets) return {};
  return protocol == Protocol::kTcp ? sockets->tcp_listeners() : sockets->udp_sockets();
}

/// Our socket in there keeps its network namespace: who asks is refused at once, and who was
/// connected hears that it has ended. One who is gone would let them all wait for a time-out.
void NamespaceSite::withdraw(std::size_t service) noexcept { links_[service].localhost.clear(); }

void NamespaceSite::let_go(std::size_t service) noexcept {
  try {
    end_earlier_life(service);
  } catch (const Error&) {
    // Before its next life it is tried again.
  }
}

void NamespaceSite::end_earlier_life(std::size_t service) {
  std::optional<SocketDiag>& sockets = links_[service].sockets;
  if (!sockets) return;
  silence(sockets->fd(), address_of(plan_.services[service]));
  links_[service].ipv6.reset();
  sockets.reset();  // with them goes the namespace, once the last connections in it are closed
}

InterfaceAddress NamespaceSite::address_of(const ServicePlan& service) const {
  return {service.ipv4, plan_.ipv4_prefix, service.ipv6, plan_.ipv6_prefix};
}

std::vector<std::string> NamespaceSite::published(std::size_t service) const {
  return published_.describe(service);
}

}  // namespace isoenv
