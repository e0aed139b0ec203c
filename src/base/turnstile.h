// Lets only so many coroutines of one thread be at something at a time; the others wait in turn.
//
// Wakes one for each that leaves. Outlives those who wait and their passes.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <memory>

#include "base/event.h"

namespace isoenv {

class Turnstile {
 public:
  struct Leave {
    void operator()(Turnstile* turnstile) const noexcept;
  };
  /// A place inside, until it is destroyed.
  using Pass = std::unique_ptr<Turnstile, Leave>;

  Turnstile(boost::asio::any_io_executor executor, std::size_t places);

  boost::asio::awaitable<Pass> enter();

 private:
  std::size_t free_;
  Event left_;
};

}  // namespace isoenv
