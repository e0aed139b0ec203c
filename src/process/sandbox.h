// The namespaces of one service, seen from the keeper: cloned, set up, filled with a program,
// ended.
//
// Owns the init process and the control socket to it. Destroying a Sandbox kills its init, and with
// it every process inside, whatever those have done to their sessions, parents or signals; the end
// is reaped in the background of the executor. All members run on the executor's one thread.
#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/exit_status.h"
#include "process/init.h"
#include "process/zygote.h"

namespace isoenv {

/// New namespaces of a service's sandbox.
extern const std::uint64_t kServiceNamespaces;
/// Those of a command entered into an instance: processes and mounts of its own, the hub's network.
extern const std::uint64_t kCommandNamespaces;

/// None: init ends the tree below it itself (InitPlan::ends_tree).
inline constexpr std::uint64_t kNoNamespaces = 0;

/// Where the new PID namespace is nested.
enum class Birth {
  kInOwn,     ///< below the caller's own PID namespace
  kInJoined,  ///< below the one that the caller has joined for its children
};

struct ProbeCommandResult {
  bool finished = false;  ///< false: killed at its deadline
  ExitStatus status;
  std::string error;  ///< not empty: it could not be started
};

/// Init was ended, by whatever means, before it could tell what was waited for.
class SandboxEnded : public Error {
 public:
  using Error::Error;
};

class Sandbox {
 public:
  using Note = std::function<void(const std::string&)>;

  /// Clones the init process into new namespaces, or has `zygote` do so. `note` receives what the
  /// machine refused and the sandbox can do without. Throws SystemError with code kCannotRun.
  Sandbox(boost::asio::any_io_executor executor, std::uint64_t namespaces, InitPlan plan, Note note,
          Birth birth = Birth::kInOwn, Zygote* zygote = nullptr);
  ~Sandbox();
  Sandbox(Sandbox&&) noexcept;
  Sandbox& operator=(Sandbox&&) noexcept;

  /// Returns when init is cloned and its sockets are here. Throws SystemError with code kCannotRun.
  boost::asio::awaitable<void> born();
  /// After born(), once: what the plan has it pass. Throws SystemError.
  NetworkSockets take_sockets();
  pid_t pid() const noexcept;  ///< of init once it is born, in the caller's PID namespace
  int pidfd() const noexcept;  ///< the same

  /// Returns when the namespaces are set up. Throws SystemError when an essential step failed,
  /// SandboxEnded as the next two do.
  boost::asio::awaitable<void> prepared();
  /// Starts the program; call once, after prepared().
  boost::asio::awaitable<std::variant<pid_t, LaunchFailure>> launch();
  /// The same, but it stands still before the program is executed; signal(SIGCONT) lets it go on.
  boost::asio::awaitable<std::variant<pid_t, LaunchFailure>> launch_held();
  /// After either, the program's pid as host_pid() counts (process_tree.h); 0 when it is not known.
  std::int64_t program_host_pid() const;
  /// After launch_held(): returns when the program is executed, or has ended before; or why not.
  boost::asio::awaitable<std::optional<LaunchFailure>> released();
  /// Returns true whenever a program that has the terminal has stopped, false when it has ended.
  boost::asio::awaitable<bool> stopped();
  /// The program's end, or that of the whole sandbox (as killed by SIGKILL). May be awaited often.
  boost::asio::awaitable<ExitStatus> exited();
  bool has_exited() const noexcept;
  /// Init has told how the program ended; otherwise its end is taken from that of the sandbox.
  bool exit_reported() const noexcept;

  /// Sends a signal to the program; nothing happens when it has ended.
  void signal(int number) noexcept;
  /// Sends a signal to every process of the sandbox but init: SIGSTOP and SIGCONT, to pause and
  /// resume. After signal() and others in the order of the calls.
  void signal_all(int number) noexcept;
  /// Returns when every signal_all() so far has been carried out, or the sandbox is gone.
  boost::asio::awaitable<void> all_signalled();
  /// Kills every process of the sandbox, init included.
  void kill() noexcept;
  /// Returns when init has been reaped: then no process of the sandbox is left (the kernel lets a
  /// PID namespace's init end last, pid_namespaces(7)). Without a PID namespace that holds unless
  /// init itself was killed: see init_killed().
  boost::asio::awaitable<void> gone();

  /// After gone(): init was ended by another's signal. Without a PID namespace its orphans are then
  /// the caller's, if that adopts them (process_tree.h).
  bool init_killed() const noexcept;

  /// Runs probe `index` of the plan; kills it at the deadline. One at a time.
  boost::asio::awaitable<ProbeCommandResult> run_probe(std::size_t index,
                                                       std::chrono::milliseconds timeout);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace isoenv
