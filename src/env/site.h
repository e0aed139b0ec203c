// Where an instance's services live: what differs between the rungs once the keeper runs.
//
// A site places each service's sandbox, connects it, and tells what accepts traffic there; the rest
// of a service's life is the same everywhere (linux_backend.h). One thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "netns/socket_diag.h"
#include "process/init.h"
#include "process/sandbox.h"
#include "spec/spec.h"

namespace isoenv {

class Site {
 public:
  virtual ~Site() = default;

  /// Builds what services are connected to. Throws Error, and so does then each connect().
  virtual void open() = 0;
  /// New namespaces of every service's sandbox.
  virtual std::uint64_t namespaces() const = 0;
  /// What the init of this service's sandbox sets up. Throws Error when the service cannot start.
  virtual void prepare(std::size_t service, InitPlan& init) = 0;
  /// Returns when the sandbox can be reached, which is after open(); its init may be setting up
  /// meanwhile. Also after an earlier life of the same service. Throws Error.
  virtual boost::asio::awaitable<void> connect(std::size_t service, Sandbox& sandbox) = 0;
  /// The connected service's own sockets that accept traffic.
  virtual std::vector<BoundSocket> listening(std::size_t service, Protocol protocol) = 0;
  /// Where services share a network: who else accepts traffic on that port; "" = nobody.
  virtual std::string other_holder(std::size_t service, Protocol protocol, std::uint16_t port) = 0;
  /// The service has ended or is not started after all: no more traffic is led to it.
  virtual void withdraw(std::size_t service) noexcept = 0;
  /// After withdraw(): its peers need not find even its place.
  virtual void let_go(std::size_t service) noexcept = 0;
  /// The init of a sandbox has been reaped; `killed`: by another's signal. Ends what outlived it.
  virtual void init_ended(pid_t init, bool killed) noexcept = 0;
  /// The instance ends, and nothing of it runs any more: whoever comes next may have the host's ports
  /// that it held. Nothing else is asked for after that.
  virtual void give_back_ports() noexcept = 0;
  /// `http → 127.0.0.1:8080` for each published port, for `isoenv ps`.
  virtual std::vector<std::string> published(std::size_t service) const = 0;
};

}  // namespace isoenv
