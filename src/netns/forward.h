// Carries TCP connections from listening sockets to one service: PUBLISH and LOCALHOST.
//
// A listening socket stays in the network namespace it was bound in, so the keeper accepts on the
// host's loopback although it lives in the hub. Half-closes and resets pass through in both
// directions, a slow reader slows the sender, and a service that is down resets the client at once.
// Never listens on anything but 127.0.0.1 and ::1.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace isoenv {

struct LoopbackListener {
  std::uint16_t port = 0;         ///< as bound
  std::vector<UniqueFd> sockets;  ///< non-blocking, listening, CLOEXEC: 127.0.0.1, then ::1 if any
};

/// Binds 127.0.0.1:port and [::1]:port in the calling thread's network namespace; port 0 picks one
/// that is free on both. With `ipv6`, a loopback without ::1 is served by 127.0.0.1 alone.
/// SO_REUSEADDR, never SO_REUSEPORT. Throws SystemError, EADDRINUSE with a hint.
LoopbackListener listen_on_loopback(std::uint16_t port, bool ipv6);

class Forwarder {
 public:
  /// Accepts on `listener` and connects each client to `address`:`port`, from the network namespace
  /// of the thread that runs `executor` (one thread), until destroyed; open connections are reset
  /// then. `address` is numeric. Must be destroyed before the executor's context.
  Forwarder(boost::asio::any_io_executor executor, LoopbackListener listener,
            const std::string& address, std::uint16_t port);
  ~Forwarder();
  Forwarder(Forwarder&&) noexcept;
  Forwarder& operator=(Forwarder&&) noexcept;

  std::uint16_t port() const noexcept;
  /// How many clients are being served.
  std::size_t connections() const noexcept;

 private:
  struct State;
  struct Connection;

  std::shared_ptr<State> state_;
};

}  // namespace isoenv
