// The rungs with namespaces: each service in a network namespace of its own, linked to the hub.
//
// Runs in the keeper, which lives in the hub. Nothing it makes is visible outside the instance but
// the listeners of published ports, which were bound before the keeper left the host's namespace.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/event.h"
#include "env/published_port.h"
#include "env/site.h"
#include "netns/network.h"
#include "plan/plan.h"

namespace isoenv {

class NamespaceSite final : public Site {
 public:
  /// The plan outlives it.
  NamespaceSite(boost::asio::any_io_executor executor, const EnvironmentPlan& plan,
                std::vector<PublishedPort> published);

  /// Builds the hub's network in the calling thread's network namespace.
  void open() override;
  std::uint64_t namespaces() const override { return kServiceNamespaces; }
  void prepare(std::size_t service, InitPlan& init) override;
  boost::asio::awaitable<void> connect(std::size_t service, Sandbox& sandbox) override;
  std::vector<BoundSocket> listening(std::size_t service, Protocol protocol) override;
  std::string other_holder(std::size_t, Protocol, std::uint16_t) override { return ""; }
  void withdraw(std::size_t service) noexcept override;
  void let_go(std::size_t service) noexcept override;
  void init_ended(pid_t, bool) noexcept override {}  // its PID namespace has ended with it
  void give_back_ports() noexcept override { published_.close(); }
  std::vector<std::string> published(std::size_t service) const override;

 private:
  struct Link {
    std::optional<SocketDiag> sockets;
    UniqueFd ipv6;  // holds the group in which its address is asked for
    std::vector<Forwarder> localhost;
  };

  void end_earlier_life(std::size_t service);
  InterfaceAddress address_of(const ServicePlan& service) const;

  boost::asio::any_io_executor executor_;
  const EnvironmentPlan& plan_;
  std::optional<HubNetwork> hub_;
  std::exception_ptr failure_;  // why there is none
  Event opened_;
  PublishedPorts published_;
  std::vector<Link> links_;
};

}  // namespace isoenv
