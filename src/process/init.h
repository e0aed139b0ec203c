// PID 1 of a sandbox, and of a command entered into an instance: sets the namespaces up, starts the
// program as its child, reaps, and passes signals and exit statuses.
//
// Runs in a process that was cloned into its new namespaces by sandbox.cc. It holds nothing of the
// parent but one control socket; when that closes, or when the program ends, it exits, and the
// kernel kills whatever else lives in its PID namespace (pid_namespaces(7)). Without a PID
// namespace it inherits all orphans of the program, and kills every process below it before it
// exits.
#pragma once

#include "base/unique_fd.h"
#include "process/init_plan.h"
#include "process/launcher.h"

namespace isoenv {

/// Messages on the control socket (SOCK_SEQPACKET), one struct a message.
struct InitRequest {
  enum class Kind : int {
    kLaunch,     ///< start the program; `value` 1: held, see launch_held()
    kSignal,     ///< send signal `value` to the program
    kSignalAll,  ///< send signal `value` to every process of the sandbox but init
    kProbe,      ///< start probe number `value`
    kKillProbe,  ///< kill the running probe
  };
  Kind kind = Kind::kLaunch;
  int value = 0;
};

struct InitReport {
  enum class Kind : int {
    kBorn,          ///< it was cloned; the message's sender is its pid (unix(7)). With it come the
                    ///< sockets that it passes; or `step` failed with errno `value`: init exits
    kUnborn,        ///< the zygote could not clone it: errno `value`
    kNote,          ///< an optional `step` failed with errno `value`; set-up goes on
    kSetupFailed,   ///< `step` failed with errno `value`; init exits
    kPrepared,      ///< set-up is done, kLaunch may come
    kStarted,       ///< the program runs as pid `value` (of the sandbox's PID namespace), which is
                    ///< the message's sender too, unless the kernel does not let init say so
    kReleased,      ///< the program that was held is executed
    kLaunchFailed,  ///< `step` failed with errno `value`, also of one that was held
    kStopped,       ///< the program that has the terminal stands still, as after `suspend`
    kExited,        ///< the program ended with wait status `value`; init exits
    kSignalledAll,  ///< kSignalAll was carried out
    kProbeStarted,  ///< the probe runs
    kProbeFailed,   ///< the probe could not start: `step`, errno `value`
    kProbeExited,   ///< the probe ended with wait status `value`
  };
  Kind kind = Kind::kNote;
  Step step = Step::kNone;
  int value = 0;
};

/// Sockets of a network namespace, which stay in it whoever has them: its links are set up, groups
/// joined, and its sockets looked at without entering it.
struct NetworkSockets {
  UniqueFd route;      ///< NETLINK_ROUTE
  UniqueFd diagnosis;  ///< NETLINK_SOCK_DIAG
  UniqueFd ipv6;       ///< AF_INET6; none where there are none for us
};

/// The first step of what was cloned to become an init: reports kBorn, with sockets if
/// `passes_sockets`. `control` is the child's end of the control socket.
void report_born(bool passes_sockets, int control);

/// The others. Never returns.
[[noreturn]] void run_init(InitPlan plan, UniqueFd control);

}  // namespace isoenv
