// One readiness attempt against one service.
//
// A probe asks the kernel or the service itself, never guesses: listening sockets are read by
// NETLINK_SOCK_DIAG in the service's own network namespace, so nothing else can answer for it.
// Runs in the hub. An attempt has one outcome and no retry; wait_ready.h repeats attempts.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/exit_status.h"
#include "plan/plan.h"

namespace isoenv {

/// A bound socket that accepts traffic: TCP in LISTEN, or an unconnected UDP socket.
struct ListeningSocket {
  std::string address;  ///< `0.0.0.0`, `::`, `127.0.0.1`, …
  std::uint16_t port = 0;
  bool ipv6_only = false;
};

struct CommandOutcome {
  bool finished = false;   ///< false: still running at the deadline and killed
  ExitStatus status;
  std::string last_output; ///< its last lines, for the diagnosis
  std::string error;       ///< not empty: it could not be started
};

/// What a service offers to its probes. Every member must be set that its probes need.
struct ProbeContext {
  std::string ipv4;
  std::string ipv6;                          ///< "" without IPv6
  std::function<std::vector<ListeningSocket>(Protocol)> listening_sockets;
  /// True when a captured line contains a match. Called again with the same pattern; may remember.
  std::function<bool(const std::string& pattern)> log_matches;
  std::function<bool()> notified_ready;      ///< READY=1 arrived on the notify socket
  std::function<std::string()> notify_status;///< the last STATUS= text, or ""
  /// Runs a command in the service's sandbox, with its environment; killed at the deadline.
  std::function<boost::asio::awaitable<CommandOutcome>(std::vector<std::string> command,
                                                       std::chrono::milliseconds timeout)>
      run_command;
  std::filesystem::path working_directory;   ///< relative file and unix paths start here
};

struct ProbeResult {
  bool passed = false;
  std::string answer;  ///< what was seen: `listens on 127.0.0.1:8081, expected *:8080`
};

/// `tcp http`, `http http GET /health`, `log /ready/`: how messages name a probe.
std::string describe(const ProbePlan& probe);

/// Tries once. `kExit` never passes here: the end of the process decides it.
boost::asio::awaitable<ProbeResult> attempt(const ProbePlan& probe, const ProbeContext& context,
                                            std::chrono::milliseconds timeout);

}  // namespace isoenv
