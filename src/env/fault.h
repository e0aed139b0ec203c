// What is done to services on purpose: as data, as a line of text, and what came of it.
//
// Faults of the network will be further kinds with arguments of their own.
#pragma once

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "env/report.h"

namespace isoenv {

enum class FaultKind { kStop, kStart, kRestart, kKill, kPause, kResume };

/// `stop`, `start`, `restart`, `kill`, `pause`, `resume`: also the names of the commands.
const char* fault_name(FaultKind kind) noexcept;
std::optional<FaultKind> fault_kind(const std::string& name) noexcept;

/// Whose fault it is, and how long it stays.
struct FaultOrigin {
  std::uint64_t session = 0;  ///< of the test that made it (test_sessions.h); 0: of no test
  bool keep = false;          ///< it outlives its session
  std::string by;             ///< for messages: `test 'order.survives'`, `'isoenv pause'`
};

struct Fault {
  FaultKind kind = FaultKind::kPause;
  std::vector<std::size_t> services;
  int signal = SIGKILL;  ///< kKill
  FaultOrigin origin;
};

/// Sent to a program that runs on, the signal can only mean that it should end.
bool asks_to_end(int signal) noexcept;

/// What was done to one service.
struct FaultEffect {
  std::string service;
  std::string what;  ///< `paused`, `stopped, exit code 0`, `was not running`
};

struct FaultReport {
  std::vector<FaultEffect> effects;      ///< in the order of doing
  std::vector<ServiceFailure> failures;  ///< services that are not ready and should be
  std::vector<std::string> problems;     ///< what could not be cleaned up
};

std::string to_json(const FaultReport& report);
FaultReport fault_report_from_json(const std::string& text);
/// For people: `db: paused`, a line each. Without the failures.
std::string effects_text(const FaultReport& report);

/// A fault that comes by itself, so long after the beginning of a test.
struct ScheduledFault {
  FaultKind kind = FaultKind::kPause;
  std::string service;
  int signal = SIGKILL;  ///< kKill
  std::chrono::milliseconds delay{};
  std::optional<std::chrono::milliseconds> duration;  ///< undone then; none: at the test's end
  std::string text;                                   ///< as written
};

/// `pause:order@200ms+1s`, `kill=SIGTERM:user@1s`: action[=SIGNAL]:service@delay[+duration]. Throws
/// Error (kUsage) that names the part which is wrong.
ScheduledFault parse_fault(const std::string& text);

/// All of them, or an Error (kUsage) that tells every one that makes no sense.
std::vector<ScheduledFault> parse_faults(const std::vector<std::string>& texts);

/// The number of a signal that `kill` may send, by its name. Throws Error (kUsage) with the nearest
/// right name.
int parse_signal(const std::string& name);

}  // namespace isoenv
