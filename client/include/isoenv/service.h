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
#include <csignal>
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

/// How long a fault stays.
enum class Undo {
  kAtTestEnd,  ///< until the test ends that made it
  kKeep,       ///< until somebody undoes it
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

  /// Faults: what is done to it on purpose. Nothing else is touched; each returns when it is done,
  /// and throws, having done nothing, when it cannot be: a service that is down cannot be paused.
  /// What a test leaves undone is undone at its end, unless `kKeep`: of a GoogleTest case with
  /// isoenv::gtest, otherwise of the `isoenv exec` or `run` around. Outside both, and in an
  /// instance of up(), it stays.

  /// Every process of it stands still; its sockets stay, and nobody answers.
  void pause(Undo undo = Undo::kAtTestEnd) const;
  /// They go on, and it is ready again.
  void resume() const;
  /// Sends a signal to its main process. After SIGKILL nothing of it runs when this returns; after
  /// others it may still be on its way.
  void kill(int signal = SIGKILL, Undo undo = Undo::kAtTestEnd) const;
  /// Politely: its stop signal, then by force. Returns when nothing of it runs.
  void stop(Undo undo = Undo::kAtTestEnd) const;
  /// Starts it, and what it needs that nobody has stopped on purpose. Returns when it is ready;
  /// throws, with its diagnosis, when it does not become ready.
  void start(Undo undo = Undo::kAtTestEnd) const;
  void restart(Undo undo = Undo::kAtTestEnd) const;

  /// Its output from the beginning, or what it writes from now on.
  Log log() const;
  Log new_log() const;

 private:
  void act(const char* fault, int signal, Undo undo) const;

  std::shared_ptr<const Instance> instance_;
  std::size_t position_;
};

}  // namespace client
}  // namespace isoenv
