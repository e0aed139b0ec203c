// Carries TCP connections from listening sockets to one service: PUBLISH and LOCALHOST.
//
// A listening socket stays in the network namespace it was bound in, so the keeper accepts on the
// host's loopback although it lives in the hub. Half-closes and resets pass through; a service that
// is down closes the client's connection at once. Never listens on anything but 127.0.0.1 and ::1.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace isoenv {

struct LoopbackListener {
  std::uint16_t port = 0;          ///< as bound
  std::vector<UniqueFd> sockets;   ///< non-blocking, listening, CLOEXEC: 127.0.0.1 and, with IPv6, ::1
};

/// Binds 127.0.0.1:port and [::1]:port in the calling thread's network namespace; port 0 picks one
/// that is free on both. SO_REUSEADDR, never SO_REUSEPORT. Throws SystemError.
LoopbackListener listen_on_loopback(std::uint16_t port, bool ipv6);

class Forwarder {
 public:
  /// Accepts on `listener` and connects each client to `address`:`port`, from the calling thread's
  /// network namespace, until destroyed; open connections end with it.
  Forwarder(boost::asio::any_io_executor executor, LoopbackListener listener, std::string address,
            std::uint16_t port);
  ~Forwarder();
  Forwarder(Forwarder&&) noexcept;
  Forwarder& operator=(Forwarder&&) noexcept;

  std::uint16_t port() const noexcept;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace isoenv
