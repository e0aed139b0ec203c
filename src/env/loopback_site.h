// The ports rung: no namespaces, every service on the host's loopback, on ports reserved for it.
//
// Owns the reservations and, as the keeper's part of it, the end of processes whose init was
// killed: the kernel does neither here. Only sockets that processes of the service itself have open
// count as its own, so that nobody else's server is ever taken for it.
#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "env/published_port.h"
#include "env/site.h"
#include "netns/port_reservation.h"
#include "netns/socket_diag.h"
#include "plan/plan.h"

namespace isoenv {

struct ReservedPorts {
  PortReservations reservations;
  std::vector<std::uint16_t>
      assigned;  ///< in the order of assigned_protocols() (plan/addressing.h)
};

/// Reserves every fixed port of the spec, and a number for each of the others. Throws Error telling
/// every port that cannot be had. `instance`: our own id. `explain`: adds what more is known of a
/// holder.
ReservedPorts reserve_ports(const EnvironmentSpec& spec, const std::string& instance,
                            const std::function<std::string(const PortHolder&)>& explain);

class LoopbackSite final : public Site {
 public:
  /// The calling process, which has adopted orphans (process_tree.h), is the keeper. The plan
  /// outlives the site. Throws Error (kCannotRun) when the kernel does not list sockets.
  LoopbackSite(boost::asio::any_io_executor executor, const EnvironmentPlan& plan,
               PortReservations reservations, std::vector<PublishedPort> published);

  void open() override {}
  std::uint64_t namespaces() const override { return kNoNamespaces; }
  void prepare(std::size_t service, InitPlan& init) override;
  boost::asio::awaitable<void> connect(std::size_t service, Sandbox& sandbox) override;
  std::vector<BoundSocket> listening(std::size_t service, Protocol protocol) override;
  std::string other_holder(std::size_t service, Protocol protocol, std::uint16_t port) override;
  void withdraw(std::size_t service) noexcept override;
  void let_go(std::size_t) noexcept override {}
  void init_ended(pid_t init, bool killed) noexcept override;
  void give_back_ports() noexcept override;
  std::vector<std::string> published(std::size_t service) const override;

 private:
  std::vector<BoundSocket> all_listening(Protocol protocol);

  const EnvironmentPlan& plan_;
  SocketDiag sockets_;
  PortReservations reservations_;
  PublishedPorts published_;
  std::vector<pid_t> inits_;                            // by service; 0 = none
  std::map<std::uint64_t, std::string> known_holders_;  // by the inode of a socket
};

}  // namespace isoenv
