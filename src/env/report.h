// What happened to services, as data: for people as text, for programs and the control channel as
// JSON of the same words.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/exit_status.h"
#include "env/incident.h"

namespace isoenv {

/// Why one service is not up.
struct ServiceFailure {
  std::string service;
  std::string what;  ///< `not ready within 30 s`, `exit code 3 before it was ready`
  std::vector<std::string> diagnosis;   ///< a line each
  std::vector<std::string> last_lines;  ///< of its output
  std::filesystem::path log;            ///< the whole output; "" when there is none
};

/// A service whose process stands still where it would execute the program.
struct PausedStart {
  std::string service;
  std::int64_t pid = 0;  ///< on the host; 0 when unknown
};

struct UpReport {
  std::string environment;
  std::size_t wanted = 0;                ///< how many services and tasks the call was about
  std::vector<ServiceFailure> failures;  ///< empty: all are ready
  std::vector<std::string> warnings{};   ///< what the caller should know all the same
  std::string rung{};                    ///< what isolation the instance has
  std::string refusal{};                 ///< why it has no better one; "" when it has the best
  std::vector<PausedStart> paused{};     ///< as they were asked to be
  std::vector<std::string> waiting{};    ///< services that wait for those
  std::string timing{};                  ///< JSON of env/timing.h; "" unless asked for
};

/// How one service was stopped.
struct ServiceStop {
  enum class How {
    kNotRunning,  ///< nothing was left to stop
    kStopped,     ///< it ended after its stop signal
    kKilled,      ///< it did not end in time and was killed
  };
  std::string service;
  How how = How::kNotRunning;
  std::string status;  ///< `exit code 0`, `killed by SIGKILL`; "" when it was not running
  std::optional<ExitStatus> exit{};  ///< the same; is not sent
};

struct DownReport {
  std::vector<ServiceStop> stops;     ///< in the order of stopping
  std::vector<std::string> problems;  ///< what could not be cleaned up
  std::vector<Incident> incidents{};  ///< what no test has been told of
};

enum class ServiceState {
  kDown,
  kWaiting,
  kStarting,
  kReady,
  kCompleted,
  kFailed,
  kExited,
  kStopping,
  kPaused,     ///< on purpose: its processes stand still
  kStopped,    ///< on purpose: `stop`, not `down`
  kRestarting  ///< it has ended by itself; its policy starts it again in a while
};

/// `down`, `waiting`, `starting`, `ready`, `completed`, `failed`, `exited`, `stopping`, `paused`,
/// `stopped`, `restarting`.
const char* state_name(ServiceState state) noexcept;

/// One row of `isoenv ps`.
struct ServiceStatus {
  std::string service;
  bool is_task = false;
  ServiceState state = ServiceState::kDown;
  std::int64_t pid = 0;  ///< on the host; 0 when not running
  std::string ipv4;
  std::string ipv6;
  std::vector<std::string> ports;  ///< `http 3000`, `stats 8125/udp`, `http 3000 → 127.0.0.1:8080`
  std::chrono::milliseconds uptime{};  ///< since its start; 0 when not running
  unsigned restarts = 0;               ///< starts after the first one
  std::string readiness;  ///< `tcp http: passed`, or what it waits for, or how it ended
  std::string rung{};     ///< what isolation it has: its instance's
};

std::string to_json(const UpReport& report);
std::string to_json(const std::vector<ServiceFailure>& failures);  ///< an array
std::string to_json(const DownReport& report);
std::string to_json(const std::vector<ServiceStatus>& statuses);

std::vector<ServiceFailure> failures_from_json(const std::string& text);
UpReport up_report_from_json(const std::string& text);
DownReport down_report_from_json(const std::string& text);
std::vector<ServiceStatus> statuses_from_json(const std::string& text);

/// For people: paragraphs, each with an empty line before it. Services that failed alike, and whose
/// last output was the same, share one.
std::string failures_text(const std::vector<ServiceFailure>& failures);
/// For people: which services are paused before their start, and how they go on. "" for none.
std::string paused_text(const UpReport& report);
/// For people. `up_text` is "" when nothing failed.
std::string up_text(const UpReport& report);
std::string down_text(const DownReport& report);
std::string statuses_text(const std::vector<ServiceStatus>& statuses);

}  // namespace isoenv
