// The socket behind NOTIFY_SOCKET: takes a service's sd_notify(3) messages.
//
// Owns a bound unix datagram socket and its file. Receives on the executor until destroyed;
// remembers READY=1 and the last STATUS=, ignores every other assignment, messages that are not
// assignments, messages longer than 4 KiB, and file descriptors sent along (closed by the kernel).
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace isoenv {

class NotifySocket {
 public:
  /// Binds `path` (at most 107 bytes; unix(7)), CLOEXEC; a stale socket there is replaced.
  /// `became_ready` is called on the executor once, after the first READY=1. Must be destroyed
  /// before the executor's context. Throws SystemError.
  NotifySocket(boost::asio::any_io_executor executor, std::filesystem::path path,
               std::function<void()> became_ready = {});
  /// Removes the file.
  ~NotifySocket();
  NotifySocket(NotifySocket&&) noexcept;
  NotifySocket& operator=(NotifySocket&&) noexcept;

  const std::filesystem::path& path() const noexcept;
  bool ready() const noexcept;
  /// The last STATUS= text, or "".
  const std::string& status() const noexcept;

 private:
  struct State;

  std::shared_ptr<State> state_;
};

}  // namespace isoenv
