// One HTTP GET against a service, judged by its status and body.
//
// A new connection an attempt, from the caller's network namespace; nothing is kept. Reads at most
// 1 MiB of an answer, and its body only when the body is judged. A refused connection is answered
// with what the service listens on instead.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>

#include "plan/plan.h"
#include "ready/probe.h"

namespace isoenv {

/// Asks the service's IPv4 address; when that refuses, its IPv6 address. The whole attempt takes at
/// most `timeout`. Both references must outlive the await.
boost::asio::awaitable<ProbeResult> http_attempt(const ProbePlan& probe,
                                                 const ProbeContext& context,
                                                 std::chrono::milliseconds timeout);

}  // namespace isoenv
