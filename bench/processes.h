// The processes of an instance as the machine shows them, whatever program brought it up: those
// that execute the service program, and those above them that keep them.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <vector>

namespace isoenv::bench {

/// The processes that execute `program`, a path without links.
std::vector<pid_t> processes_of(const std::filesystem::path& program);

/// All ancestors of `services` up to, and without, the first process of the machine, the caller
/// and what is above it: keepers and inits. Each once.
std::vector<pid_t> supervisors_of(const std::vector<pid_t>& services);

/// The sum of their proportional set sizes (smaps_rollup), in KiB. Throws SystemError.
double pss_of(const std::vector<pid_t>& processes);

}  // namespace isoenv::bench
