// A client's way to an instance: find or start its keeper, ask it, enter it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/exit_status.h"
#include "env/timing.h"
#include "harness/control.h"
#include "harness/instances.h"
#include "harness/keeper.h"

namespace isoenv {

/// Connects to the keeper of the instance that `options` describes, starting it when there is none;
/// safe when many do so at once. Asks it, and starts a new one when the old one was just ending.
/// Gives up when the process behind the pidfd `owner` (-1: none) ends. When the machine turns out
/// to refuse services their namespaces, it starts again without any, or throws Error (kCannotRun)
/// when `options` allow nothing less.
struct Joined {
  ControlClient client;
  Answer answer;
  bool started = false;   ///< this call has started the keeper
  bool old_spec = false;  ///< it was there already, and runs a spec that was edited since
  CommandPhases phases;   ///< `keeper`: found or started; `services`: asked and answered
};
Joined ask_or_start(const RunDirectory& directory, KeeperOptions options, const Request& request,
                    int owner = -1);

/// An instance that is up, and the way to its keeper.
struct Reached {
  RunningInstance instance;
  ControlClient client;
};

/// The instance that this process is in already, when it is the one meant: that of its `exec` or
/// `run`. None elsewhere.
std::optional<Reached> surrounding_instance(const std::filesystem::path& root,
                                            const Selection& selection);

/// The instance meant: the one around, else find_instance() of where the command was called. Sweeps
/// dead ones before. Throws Error when there is none, or when several could be meant.
Reached reach_instance(const Selection& selection);
/// The same, of which only the keeper is of interest.
ControlClient connect_to_instance(const Selection& selection);

/// The number of the test session of that instance that the caller runs in; 0: none.
std::uint64_t surrounding_session(const RunDirectory& instance);

/// Asks a live instance for what a command inside it needs, and throws Error when one of `services`
/// is not ready.
Answer ask_to_join(ControlClient& client, const std::vector<std::string>& services);

/// Runs `command` inside the instance behind `client`: hub network, names, variables, a PID
/// namespace of its own; on the ports rung variables alone. `session`: the number of its test
/// session; 0 = none. Returns its exit status. The command is killed with the process behind the
/// pidfd `owner` (-1: none).
ExitStatus run_inside(const ControlClient& client, const Answer& joined,
                      const std::vector<std::string>& command, std::uint64_t session,
                      int owner = -1);

/// The same for a caller that is inside that instance already: it becomes the command.
[[noreturn]] void run_here(const Answer& joined, const std::vector<std::string>& command);

/// The same in an empty private environment that ends with the command: no keeper, no services. On
/// the ports rung nothing but its processes' end is then its own; a fall to it is told on the
/// standard error output.
ExitStatus run_alone(const std::vector<std::string>& command, Isolation isolation, int owner);

/// Becomes `command` where the caller is, in no instance: for programs that only list their tests.
[[noreturn]] void run_outside(const std::vector<std::string>& command);

}  // namespace isoenv
