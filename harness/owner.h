// Processes by pid and start time, and the choice of the process that owns an instance.
//
// A pid alone is never trusted: it is always compared together with the start time that the kernel
// gives it (field 22 of /proc/PID/stat), so a reused pid is another process. Everything here reads
// the /proc of the caller's PID namespace and changes nothing; call it before entering another one.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/unique_fd.h"

namespace isoenv {

struct ProcessId {
  pid_t pid = 0;
  std::uint64_t start_time = 0;  ///< clock ticks since boot

  bool operator==(const ProcessId&) const = default;
};

/// The process that has `pid` now, zombies included; none when there is no such process.
std::optional<ProcessId> read_process(pid_t pid);

/// True while exactly that process runs; a zombie has ended.
bool alive(const ProcessId& process);

/// The process whose life bounds an instance.
struct Owner {
  enum class Kind {
    kNone,      ///< nobody: the instance lives until `isoenv down`
    kCtest,     ///< the ctest run above
    kTerminal,  ///< the leader of the session that has the terminal
    kExplicit,  ///< a pid given by the user
  };

  Kind kind = Kind::kNone;
  ProcessId process;
  std::string name;  ///< the process's name, for messages

  bool operator==(const Owner&) const = default;
};

/// The nearest ancestor whose name, or whose argv[0] without folders, is `ctest`. Throws Error when
/// a ctest has started the caller and has ended since.
std::optional<ProcessId> ctest_above();

/// The leader of the caller's session, when that session has a terminal and the leader is alive
/// and not the caller itself.
std::optional<ProcessId> terminal_leader();

/// `auto`: ctest_above(), else terminal_leader(), else nobody. `none`: nobody. Otherwise a pid.
/// Throws Error (kUsage) when `choice` is neither, or names a process that is not running.
Owner find_owner(const std::string& choice);

/// A pidfd of exactly that process; empty when it has ended. Throws SystemError when the kernel
/// refuses for another reason.
UniqueFd open_pidfd(const ProcessId& process);

/// True when the process behind a pidfd has ended, in whatever namespaces the caller is by now.
bool has_ended(int pidfd);

}  // namespace isoenv
