// Environment, continued: services that are started before anybody asks for them.
#include <cstddef>
#include <utility>
#include <vector>

#include "env/environment.h"

namespace isoenv {

namespace asio = boost::asio;

void Environment::start_ahead(const std::vector<std::size_t>& services) {
  const Clock::TimePoint asked = clock_.now();
  for (const std::size_t service : plan_.closure(services)) {
    Life& life = lives_[service];
    if (life.alive || life.stops > 0 || life.starts > 0) continue;
    // It stays up for those who will ask, also when somebody's up() fails meanwhile.
    ++life.claims;
    life.ahead = true;
    incidents_.excuse(service, true);
    begin_life(service, asked);
  }
}

asio::awaitable<void> Environment::drop_ahead() {
  std::vector<std::size_t> unwanted;
  for (std::size_t service = 0; service < lives_.size(); ++service) {
    if (lives_[service].ahead) unwanted.push_back(service);
  }
  co_await take_down(std::move(unwanted));
}

/// Now somebody asks for it: from here on it is as if that had started it. True when it has failed
/// before; that is told once, as it would have been.
bool Environment::adopt(std::size_t service) {
  Life& life = lives_[service];
  if (!std::exchange(life.ahead, false)) return false;
  incidents_.excuse(service, false);
  return !life.alive &&
         (life.state == ServiceState::kFailed || life.state == ServiceState::kExited);
}

}  // namespace isoenv
