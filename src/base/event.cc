#include "base/event.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace isoenv {

Event::Event(boost::asio::any_io_executor executor)
    : timer_(executor, boost::asio::steady_timer::time_point::max()) {}

boost::asio::awaitable<void> Event::wait() {
  boost::system::error_code notified;
  co_await timer_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, notified));
}

void Event::notify_all() { timer_.cancel(); }

void Event::notify_one() { timer_.cancel_one(); }

}  // namespace isoenv
