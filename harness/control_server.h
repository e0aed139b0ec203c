// The keeper's end of the control channel: who may ask, how much, and for how long.
//
// Listens on a unix socket of mode 0600, asks the kernel who connects, reads one request a line and
// writes one answer a line. A client that sends garbage, too much, half a line or nothing, that
// floods or never reads, costs a bounded amount of memory and descriptors for a bounded time, and
// holds up nobody else; it is told why it is refused in a last answer, where it can be. A request
// that has been read is carried out to its end, also when its client goes away. One thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "harness/control.h"

namespace isoenv {

struct ControlLimits {
  /// At once. When all places are taken, a newcomer gets that of the client which has been there
  /// longest without a whole request; else of one that is slow to take its answer; else of the last
  /// to fall idle, as those that have been longer mostly are an `isoenv run`. With none of these
  /// but those that keep() protects, all have a request under way, and the newcomer is turned away.
  /// Never more than a quarter of the descriptors that the process may have.
  std::size_t clients = 256;
  std::chrono::milliseconds request{10'000};  ///< from its first moment to the end of its line
  std::chrono::milliseconds answer{30'000};   ///< until the client has taken it
};

class ControlServer {
 public:
  /// Carries out one request; an Error it throws becomes the answer.
  using Respond = std::function<boost::asio::awaitable<Answer>(Request)>;
  /// A client has gone or was turned away, whether it had asked anything or not: its number
  /// (Request::client).
  using Gone = std::function<void(std::uint64_t)>;

  /// Binds and listens. Throws when that fails.
  ControlServer(boost::asio::any_io_executor executor, const std::string& path, Respond respond,
                ControlLimits limits = {}, Gone gone = {});
  /// The executor runs no more.
  ~ControlServer();

  /// Starts to accept.
  void open();
  /// Accepts nobody any more; those who are in stay.
  void close();

  /// This client is never turned away to make room: it holds what ends with it.
  void keep(std::uint64_t client);

  /// Requests whose answer has not been written yet.
  std::size_t owed() const noexcept;
  std::size_t clients() const noexcept;
  /// Returns when an answer was written or given up, or spuriously.
  boost::asio::awaitable<void> answered();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace isoenv
