// The `up` that a keeper was started with: carried out from its first moment on, while whoever
// started it still waits for the news that it listens. They ask for the answer after that.
//
// One thread, that of the executor.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <exception>
#include <optional>

#include "base/clock.h"
#include "base/event.h"
#include "env/report.h"
#include "harness/control.h"

namespace isoenv {

class FirstUp {
 public:
  FirstUp(boost::asio::any_io_executor executor, Request request, Clock::TimePoint asked);

  const Request& request() const noexcept { return request_; }
  Clock::TimePoint asked() const noexcept { return asked_; }

  /// Keeps what `up` brings, or what it throws.
  boost::asio::awaitable<void> carry_out(boost::asio::awaitable<UpReport> up);
  bool done() const noexcept { return report_ || refusal_; }
  /// Returns it, or throws it, once: when that is done.
  boost::asio::awaitable<UpReport> result();

 private:
  Request request_;
  Clock::TimePoint asked_;
  std::optional<UpReport> report_;
  std::exception_ptr refusal_;
  Event changed_;
};

}  // namespace isoenv
