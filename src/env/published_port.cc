#include "env/published_port.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>

#include "base/error.h"

namespace isoenv {
namespace {

/// On a shared loopback a number may be the port's own, or asked for twice.
bool is_there_already(const std::vector<PublishedPort>& published, std::size_t service,
                      const ForwardPlan& forward) {
  return forward.number == forward.target ||
         std::any_of(published.begin(), published.end(), [&](const PublishedPort& port) {
           return port.service == service && port.listener.port == forward.number;
         });
}

/// listen_on_loopback() that names who is there already.
LoopbackListener listen_or_name_holder(
    std::uint16_t number, bool ipv6, const std::function<std::string(const PortHolder&)>& explain) {
  try {
    return listen_on_loopback(number, ipv6);
  } catch (const SystemError& error) {
    if (error.error_number() != EADDRINUSE) throw;
    const auto holder = find_port_holder(Protocol::kTcp, number);
    if (!holder) throw;
    throw Error(error.what() + std::string(", taken by ") + describe(*holder) + explain(*holder),
                error.code(), error.hint());
  }
}

}  // namespace

std::vector<PublishedPort> bind_published_ports(
    const EnvironmentPlan& plan, const std::function<std::string(const PortHolder&)>& explain) {
  std::vector<PublishedPort> published;
  for (std::size_t i = 0; i < plan.services.size(); ++i) {
    for (const ForwardPlan& forward : plan.services[i].publish) {
      if (plan.shared_loopback && is_there_already(published, i, forward)) continue;
      with_frame("publishing port '" + forward.port + "' of '" + plan.services[i].name + "'", [&] {
        published.push_back(
            {i, forward.port,
             listen_or_name_holder(forward.number, !plan.hub_ipv6.empty(), explain)});
      });
    }
    if (!plan.shared_loopback) continue;
    for (const ForwardPlan& forward : plan.services[i].localhost) {
      if (is_there_already(published, i, forward)) continue;
      with_frame(
          "offering port '" + forward.port + "' of '" + plan.services[i].name + "' on localhost",
          [&] {
            published.push_back(
                {i, forward.port, listen_or_name_holder(forward.number, false, explain)});
          });
    }
  }
  return published;
}

PublishedPorts::PublishedPorts(boost::asio::any_io_executor executor, const EnvironmentPlan& plan,
                               std::vector<PublishedPort> published) {
  for (PublishedPort& port : published) {
    const ServicePlan& service = plan.services[port.service];
    const auto target =
        std::find_if(service.ports.begin(), service.ports.end(),
                     [&](const PortPlan& candidate) { return candidate.name == port.port; });
    entries_.push_back({port.service, port.port, port.listener.port});
    forwarders_.emplace_back(executor, std::move(port.listener), service.ipv4, target->number);
  }
}

std::vector<std::string> PublishedPorts::describe(std::size_t service) const {
  std::vector<std::string> result;
  for (const Entry& entry : entries_) {
    if (entry.service == service) {
      result.push_back(entry.port + " → 127.0.0.1:" + std::to_string(entry.number));
    }
  }
  return result;
}

}  // namespace isoenv
