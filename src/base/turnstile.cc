#include "base/turnstile.h"

#include <utility>

namespace isoenv {

Turnstile::Turnstile(boost::asio::any_io_executor executor, std::size_t places)
    : free_(places), left_(std::move(executor)) {}

boost::asio::awaitable<Turnstile::Pass> Turnstile::enter() {
  while (free_ == 0) co_await left_.wait();
  --free_;
  co_return Pass(this);
}

void Turnstile::Leave::operator()(Turnstile* turnstile) const noexcept {
  ++turnstile->free_;
  turnstile->left_.notify_one();
}

}  // namespace isoenv
