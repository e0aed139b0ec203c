// Runs one coroutine from a plain test function.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace isoenv::test {

/// Long enough for anything that works; a test that gets there has failed.
inline constexpr std::chrono::seconds kAwaitPatience{30};

/// Runs `context` until `done()`. Throws when that takes longer than anybody would wait.
template <typename Predicate>
void run_until(boost::asio::io_context& context, Predicate done) {
  const auto limit = std::chrono::steady_clock::now() + kAwaitPatience;
  context.restart();
  while (!done()) {
    if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("it never happened");
    context.run_one_for(std::chrono::milliseconds(100));
    if (context.stopped()) context.restart();
  }
}

/// Runs `context` until the coroutine has ended, and returns or throws what it did.
template <typename Result>
Result await(boost::asio::io_context& context, boost::asio::awaitable<Result> coroutine) {
  std::optional<Result> result;
  std::exception_ptr failure;
  bool ended = false;
  boost::asio::co_spawn(context, std::move(coroutine), [&](std::exception_ptr error, Result value) {
    failure = error;
    result = std::move(value);
    ended = true;
  });
  run_until(context, [&] { return ended; });
  if (failure) std::rethrow_exception(failure);
  return std::move(*result);
}

}  // namespace isoenv::test
