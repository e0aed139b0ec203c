// Time as the product's coroutines see it: a seam, so that tests need no real time.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>

namespace isoenv {

class Clock {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  /// Returns after `duration`; earlier only by cancellation of the awaiting coroutine.
  virtual boost::asio::awaitable<void> sleep_for(std::chrono::nanoseconds duration) = 0;
};

/// The real clock, on the executor of the awaiting coroutine.
class SteadyClock final : public Clock {
 public:
  TimePoint now() const override;
  boost::asio::awaitable<void> sleep_for(std::chrono::nanoseconds duration) override;
};

}  // namespace isoenv
