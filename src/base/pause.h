// A pause that an event can cut short.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>

#include "base/clock.h"
#include "base/event.h"

namespace isoenv {

/// Returns after `duration` (true), or as soon as `stop` holds when `changed` is notified (false).
/// The references outlive the call.
boost::asio::awaitable<bool> pause_unless(Clock& clock, Event& changed,
                                          std::chrono::nanoseconds duration,
                                          std::function<bool()> stop);

}  // namespace isoenv
