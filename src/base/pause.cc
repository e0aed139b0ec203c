#include "base/pause.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>

namespace isoenv {

namespace asio = boost::asio;

asio::awaitable<bool> pause_unless(Clock& clock, Event& changed, std::chrono::nanoseconds duration,
                                   std::function<bool()> stop) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const Clock::TimePoint end = clock.now() + duration;
  while (!stop()) {
    const std::chrono::nanoseconds left = end - clock.now();
    if (left.count() <= 0) co_return true;
    // The first to end cancels the other; both have ended when this returns.
    auto [order, sleep_failure, wait_failure] =
        co_await asio::experimental::make_parallel_group(
            asio::co_spawn(executor, clock.sleep_for(left), asio::deferred),
            asio::co_spawn(executor, changed.wait(), asio::deferred))
            .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    const std::exception_ptr failure = order[0] == 0 ? sleep_failure : wait_failure;
    if (failure) std::rethrow_exception(failure);
  }
  co_return false;
}

}  // namespace isoenv
