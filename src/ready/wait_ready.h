// Repeats a service's probes until all have passed, the service ended, or its time is up.
//
// The end of the service is awaited, not polled; so are log lines and notifications when the
// context tells of them (ProbeContext::on_change). All else is asked again with back-off. When the
// returned coroutine ends, in whichever way, nothing it started is still running.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/exit_status.h"
#include "plan/plan.h"
#include "ready/probe.h"

namespace isoenv {

struct Ready {};

struct ExitedBeforeReady {
  ExitStatus status;
  /// One line a probe that had not passed: `log /ready/: no line matched yet`.
  std::vector<std::string> diagnosis;
};

struct NotReadyInTime {
  /// One line a probe that has not passed: `tcp http: listens on 127.0.0.1:8081, expected *:8080`.
  std::vector<std::string> diagnosis;
};

using ReadyOutcome = std::variant<Ready, ExitedBeforeReady, NotReadyInTime>;

/// The end of the service: resolves once, with its exit status, after its output was read to the
/// end. Cancelled when not needed any more.
using AwaitExit = std::function<boost::asio::awaitable<ExitStatus>()>;

/// Tries each of `probes` at once, then again after 1 ms, 2 ms, 4 ms … 50 ms; a probe that passed
/// is not asked again. An exit ends the wait at once: it is Ready only when the plan has an exit
/// probe with that code and all others have passed; log, file and notify probes are asked once more
/// then. At `timeout` on `clock` every probe left is asked a last time. References must outlive the
/// await.
boost::asio::awaitable<ReadyOutcome> wait_ready(const std::vector<ProbePlan>& probes,
                                                const ProbeContext& context, AwaitExit await_exit,
                                                std::chrono::milliseconds timeout, Clock& clock);

}  // namespace isoenv
