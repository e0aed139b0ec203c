// One service, or task, of an instance that is up.
//
// A cheap handle: copies name the same service, and may outlive the Environment they came from;
// they do not keep the instance up. What never changes in an instance (name, host, ports, URLs) was
// read once; everything else asks the keeper each time. All functions may be called from any number
// of threads at once. They throw EnvironmentError, and no other exception of their own: when the
// instance has ended, when the keeper refuses, when a deadline is over.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "isoenv/error.h"
#include "isoenv/log.h"

namespace isoenv {
inline namespace client {

struct Instance;

enum class ServiceState {
  kDown,        ///< not started, or taken down
  kWaiting,     ///< for what it depends on
  kStarting,    ///< runs, and is not ready yet
  kReady,       ///< a service whose probes have passed
  kCompleted,   ///< a task that has run to its end
  kFailed,      ///< did not become ready
  kExited,      ///< ended by itself after it was ready, or was killed
  kStopping,    ///< on its way down
  kPaused,      ///< on purpose: its processes stand still
  kStopped,     ///< on purpose, and not taken down
  kRestarting,  ///< has ended by itself, and is started again in a while
  kUnknown,     ///< a state that this library does not know yet
};

/// `ready`, `exited` and so on, as in `isoenv ps`.
const char* state_name(ServiceState state) noexcept;

struct ServiceStatus {
  ServiceState state = ServiceState::kDown;
  pid_t pid = 0;                       ///< of its main process, on the host; 0: not running
  std::chrono::milliseconds uptime{};  ///< since its start; 0: not running
  unsigned restarts = 0;               ///< starts after the first one
  std::string readiness;               ///< a sentence: what it waits for, or how it ended
};

class Service {
 public:
  Service(std::shared_ptr<const Instance> instance, std::size_t position);

  const std::string& name() const noexcept;
  bool is_task() const noexcept;
  /// By which tests and other services reach it: its name; without namespaces 127.0.0.1.
  const std::string& host() const noexcept;
  /// Its IPv4 address inside the instance.
  const std::string& address() const noexcept;
  /// The number of its first port, or of the port named. Throws when there is no such port.
  std::uint16_t port() const;
  std::uint16_t port(const std::string& name) const;
  /// `http://user:3000`: of its first TCP port, or of the TCP port named. Throws when there is
  /// none.
  const std::string& url() const;
  const std::string& url(const std::string& port) const;
  /// Its raw output; see Log for reading it while it grows.
  const std::filesystem::path& log_file() const noexcept;

  ServiceStatus status() const;
  ServiceState state() const { return status().state; }
  pid_t pid() const { return status().pid; }

  /// Returns when the service is ready, or the task completed. Throws when `patience` is over, and
  /// at once when it is down, stopped, or has ended and is not going to be started again.
  void wait_ready(std::chrono::milliseconds patience = std::chrono::seconds(30)) const;

  /// Its output from the beginning, or what it writes from now on.
  Log log() const;
  Log new_log() const;

 private:
  std::shared_ptr<const Instance> instance_;
  std::size_t position_;
};

}  // namespace client
}  // namespace isoenv
