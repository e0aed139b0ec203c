// A condition variable for the coroutines of one thread.
//
// Waiters loop: `while (!done) co_await event.wait();`. Cancelling a waiting coroutine throws from
// its wait as usual. Not thread-safe; outlives its waiters.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace isoenv {

class Event {
 public:
  explicit Event(boost::asio::any_io_executor executor);

  /// Returns at the next notify_all(), or spuriously.
  boost::asio::awaitable<void> wait();
  void notify_all();
  /// Wakes the one who has waited longest, if any.
  void notify_one();

 private:
  boost::asio::steady_timer timer_;  // never expires: notifying cancels its waits
};

}  // namespace isoenv
