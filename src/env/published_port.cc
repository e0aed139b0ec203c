#include "env/published_port.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace isoenv {

std::vector<PublishedPort> bind_published_ports(const EnvironmentPlan& plan) {
  std::vector<PublishedPort> published;
  for (std::size_t i = 0; i < plan.services.size(); ++i) {
    for (const ForwardPlan& forward : plan.services[i].publish) {
      with_frame("publishing port '" + forward.port + "' of '" + plan.services[i].name + "'", [&] {
        published.push_back(
            {i, forward.port, listen_on_loopback(forward.number, !plan.hub_ipv6.empty())});
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
