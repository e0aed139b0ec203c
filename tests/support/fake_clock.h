// A clock that stands still until a test moves it: hours pass in no time, always the same way.
//
// Records every sleep asked for. Sleepers wait on the executor of their coroutine, are cancelled
// like those of the real clock, and wake when advance() reaches their time and the io_context runs
// next.
#pragma once

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <cstddef>
#include <list>
#include <vector>

#include "base/clock.h"

namespace isoenv::test {

class FakeClock final : public Clock {
 public:
  TimePoint now() const override { return now_; }

  boost::asio::awaitable<void> sleep_for(std::chrono::nanoseconds duration) override {
    sleeps_.push_back(duration);
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor,
                                    boost::asio::steady_timer::time_point::max());
    const Registration sleeper(*this, timer, now_ + duration);
    boost::system::error_code error;
    if (!sleeper.due()) {
      co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, error));
    }
    if (!sleeper.due()) throw boost::system::system_error(error);
  }

  /// Moves the time; those whose time has come wake when the io_context runs next.
  void advance(std::chrono::nanoseconds duration) {
    now_ += duration;
    for (const Registration* sleeper : sleepers_) {
      if (sleeper->due()) sleeper->timer.cancel();
    }
  }

  /// Moves the time to the next sleeper's. False when nobody sleeps.
  bool advance_to_next() {
    if (sleepers_.empty()) return false;
    const auto next = std::min_element(
        sleepers_.begin(), sleepers_.end(),
        [](const Registration* a, const Registration* b) { return a->until < b->until; });
    advance(std::max(std::chrono::nanoseconds::zero(), (*next)->until - now_));
    return true;
  }

  /// Runs all that is ready to run, without moving the time.
  static void settle(boost::asio::io_context& context) {
    context.restart();
    context.poll();
  }

  /// Runs until nothing is ready and nobody sleeps, moving the time whenever all wait for it.
  void run(boost::asio::io_context& context) {
    do {
      settle(context);
    } while (advance_to_next());
  }

  /// All sleeps asked for so far, in order.
  const std::vector<std::chrono::nanoseconds>& sleeps() const { return sleeps_; }
  /// How many sleep right now.
  std::size_t sleepers() const { return sleepers_.size(); }

 private:
  struct Registration {
    Registration(FakeClock& owner, boost::asio::steady_timer& wakes, TimePoint at)
        : clock(owner),
          timer(wakes),
          until(at),
          self(clock.sleepers_.insert(clock.sleepers_.end(), this)) {}
    ~Registration() { clock.sleepers_.erase(self); }
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;

    bool due() const { return until <= clock.now_; }

    FakeClock& clock;
    boost::asio::steady_timer& timer;
    TimePoint until;
    std::list<Registration*>::iterator self;
  };

  TimePoint now_{};
  std::vector<std::chrono::nanoseconds> sleeps_;
  std::list<Registration*> sleepers_;
};

}  // namespace isoenv::test
