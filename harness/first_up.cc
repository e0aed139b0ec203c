#include "harness/first_up.h"

#include <utility>

namespace isoenv {

namespace asio = boost::asio;

FirstUp::FirstUp(asio::any_io_executor executor, Request request, Clock::TimePoint asked)
    : request_(std::move(request)), asked_(asked), changed_(executor) {
  request_.first = true;
}

asio::awaitable<void> FirstUp::carry_out(asio::awaitable<UpReport> up) {
  try {
    report_ = co_await std::move(up);
  } catch (const std::exception&) {
    refusal_ = std::current_exception();
  }
  changed_.notify_all();
}

asio::awaitable<UpReport> FirstUp::result() {
  while (!done()) co_await changed_.wait();
  if (refusal_) std::rethrow_exception(refusal_);
  co_return std::move(*report_);
}

}  // namespace isoenv
