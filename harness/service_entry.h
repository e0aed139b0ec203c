// A command in the place of a running service: what `exec --in` and `shell` become.
//
// It shares the service's namespaces, its processes among them, and has its environment; of rights
// it has the caller's, and what a debugger needs. It ends with its caller, the service and the
// instance, whichever comes first, and takes with it what it has started.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/exit_status.h"
#include "env/linux_backend.h"
#include "harness/control.h"
#include "plan/plan.h"

namespace isoenv {

/// The keeper's part: where a service lives whose sandbox is at `place`. Throws Error when it is
/// not running.
ServicePlace find_place(const ServicePlan& service, const std::optional<LinuxBackend::Place>& place,
                        ServiceState state);

/// Asks for the place of a service. Throws Error when it is not running, or when the caller is
/// itself inside the instance and sees no other sandbox.
Answer ask_to_enter(ControlClient& client, const std::string& service);

/// Runs `command` there and returns its exit status. Its program is looked up in the service's
/// PATH, then in the caller's. `working_directory`: "" = the service's. `takes_terminal`: a shell,
/// which needs the terminal's foreground to itself, if standard input is a terminal.
ExitStatus run_in_service(const ControlClient& client, const Answer& entered,
                          const std::vector<std::string>& command,
                          const std::string& working_directory, bool takes_terminal);

/// The caller's $SHELL when that can be executed, else `sh`.
std::string users_shell();

}  // namespace isoenv
