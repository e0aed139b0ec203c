// All processes below one process, and their end, where no PID namespace holds them together.
//
// A child subreaper (PR_SET_CHILD_SUBREAPER, prctl(2)) inherits every process below it that loses
// its parent, whatever that did to its session or group. So "no child left" means "nothing left",
// and that alone is trusted: /proc is only where to aim. A pid is never signalled after it may have
// been given to another process: start times are compared under a pidfd.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace isoenv {

/// Asks an init (init.h) to end its processes and then itself: also what the kernel sends it when
/// its parent has ended.
extern const int kEndSignal;

/// Makes the calling process inherit all orphans below it. False with errno.
bool adopt_orphans() noexcept;

/// The living processes below `ancestor` (and not itself), parents before children. What is just
/// being forked or orphaned may be missing: ask again.
std::vector<pid_t> processes_below(pid_t ancestor);

/// The pid behind a pidfd as the reader's /proc counts, which in the keeper is still the host's
/// (pidfd_open(2), fdinfo); 0 when unknown. Of the process itself nothing is looked at in /proc:
/// the end of one that was takes longer (proc_flush_pid, fs/proc/base.c).
std::int64_t host_pid(int pidfd);

/// True when the process, by the same count, has ended or is past the point from which nothing of
/// it runs on, every thread of it. That comes before the kernel closes what it has open: who has
/// seen one of its connections end by its death finds it so. 0 never is.
bool is_ending(std::int64_t pid);

/// Sends a signal to all processes below the calling one. With SIGSTOP until nothing new appears:
/// then all stand still, and none multiplies.
void signal_descendants(int signal);

/// Kills all processes below the calling one, which must have called adopt_orphans(), and reaps
/// them. `spared` are children that stay, with all that is below them. Each is stopped before any
/// is killed, so that none multiplies meanwhile. Blocks until none is left.
void end_descendants(const std::vector<pid_t>& spared = {});

}  // namespace isoenv
