// One command in the foreground, in a PID namespace of its own if plan and machine have one: what
// `exec` and `run` become.
//
// The command keeps the caller's standard streams, working directory, session and process group.
// Signals sent to the caller are passed on; those of the terminal reach the command by themselves.
// When the caller dies, by whatever signal, the kernel, or else the command's init, ends everything
// the command has started.
#pragma once

#include <cstdint>
#include <vector>

#include "base/exit_status.h"
#include "process/sandbox.h"

namespace isoenv {

struct ForegroundEnd {
  ExitStatus status;
  bool cut_off = false;  ///< its init was ended, at whatever moment, and could tell nothing
};

/// Runs the program of `plan` and returns how it ended. `namespaces` are clone(2) flags on top
/// of those that the (single-threaded) caller is in or has unshared. `owners` are pidfds: when one
/// of those processes ends, the command is killed. Throws Error when it cannot start.
ForegroundEnd run_in_foreground(std::uint64_t namespaces, Birth birth, InitPlan plan,
                                const std::vector<int>& owners);

}  // namespace isoenv
