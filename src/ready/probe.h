// One readiness attempt against one service.
//
// A probe asks the kernel or the service itself, never guesses: listening sockets are read by
// NETLINK_SOCK_DIAG in the service's own network namespace, or are those of its own processes where
// it shares a network, so nothing else can answer for it.
// Runs in the hub. An attempt has one outcome and no retry; wait_ready.h repeats attempts.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/exit_status.h"
#include "netns/socket_diag.h"
#include "plan/plan.h"

namespace isoenv {

struct CommandOutcome {
  bool finished = false;  ///< false: still running at the deadline and killed
  ExitStatus status;
  std::string last_output;  ///< its last lines, for the diagnosis
  std::string error;        ///< not empty: it could not be started
};

/// What a service offers to its probes. Every member must be set that its probes need; all of it is
/// used on one thread.
struct ProbeContext {
  std::string name;  ///< the service's, for the Host header
  std::string ipv4;
  std::string ipv6;  ///< "" without IPv6
  /// The service's sockets that accept traffic (SocketDiag).
  std::function<std::vector<BoundSocket>(Protocol)> listening_sockets;
  /// Optional: who else has a socket that accepts traffic on that port, "" when nobody has. For a
  /// service that shares its network: its own socket must be there before it is asked anything.
  std::function<std::string(Protocol, std::uint16_t)> other_holder;
  /// True when a captured line contained a match (LogMatcher). Asked again with the same pattern.
  std::function<bool(const std::string& pattern)> log_matches;
  std::function<bool()> notified_ready;        ///< READY=1 arrived (NotifySocket)
  std::function<std::string()> notify_status;  ///< the last STATUS= text, or ""
  /// Runs a command in the service's sandbox, with its environment; killed at the deadline, and
  /// when the awaiting coroutine is cancelled.
  std::function<boost::asio::awaitable<CommandOutcome>(std::vector<std::string> command,
                                                       std::chrono::milliseconds timeout)>
      run_command;
  std::filesystem::path working_directory;  ///< relative file and unix paths start here
  /// Optional. Takes a function to call whenever log_matches or notified_ready may answer
  /// differently: the wait then asks at once, and does not poll these two meanwhile. Replaced by an
  /// empty function when the wait ends.
  std::function<void(std::function<void()> wake)> on_change;
};

struct ProbeResult {
  bool passed = false;
  std::string answer;  ///< what was seen: `listens on 127.0.0.1:8081, expected *:8080`
};

/// `tcp http`, `http http GET /health`, `log /ready/`: how messages name a probe.
std::string describe(const ProbePlan& probe);

/// Tries once. Both references must outlive the await. `kExit` never passes here: the end of the
/// process decides it. Throws only when cancelled or when a hook of the context throws.
boost::asio::awaitable<ProbeResult> attempt(const ProbePlan& probe, const ProbeContext& context,
                                            std::chrono::milliseconds timeout);

}  // namespace isoenv
