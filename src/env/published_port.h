// PUBLISH: listeners on the host's loopback, and the forwarders that lead from there to services.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "netns/forward.h"
#include "netns/port_holder.h"
#include "plan/plan.h"

namespace isoenv {

/// A listener bound on the host's loopback before the keeper left the host's namespace.
struct PublishedPort {
  std::size_t service = 0;
  std::string port;
  LoopbackListener listener;
};

/// Binds every published port of the plan in the calling thread's network namespace; of a plan for
/// a shared loopback LOCALHOST ports too, and only numbers that are not the ports' own. Throws
/// Error naming the service, the port and who has it; `explain` adds what more is known of them.
std::vector<PublishedPort> bind_published_ports(
    const EnvironmentPlan& plan, const std::function<std::string(const PortHolder&)>& explain);

/// Forwards from the listeners as long as it lives.
class PublishedPorts {
 public:
  PublishedPorts(boost::asio::any_io_executor executor, const EnvironmentPlan& plan,
                 std::vector<PublishedPort> published);

  /// The ports are free then, and open connections reset.
  void close() noexcept { forwarders_.clear(); }

  /// `http → 127.0.0.1:8080` for each port of the service.
  std::vector<std::string> describe(std::size_t service) const;

 private:
  struct Entry {
    std::size_t service = 0;
    std::string port;
    std::uint16_t number = 0;
  };
  std::vector<Entry> entries_;
  std::vector<Forwarder> forwarders_;
};

}  // namespace isoenv
