// The processes of a trial: an instance in small, which tells what it is granted, record by record.
//
// For trial.cc alone. Every function but send_record() runs in a process that was forked for it.
#pragma once

#include <sys/types.h>

#include "base/unique_fd.h"
#include "env/trial.h"

namespace isoenv {

/// One line on the pipe from a process of the trial.
struct TrialRecord {
  enum class Kind {
    kBegin,  ///< `finding.capability` is being tried: who dies now dies of it
    kFinding,
    kRung,      ///< `number`: the rung
    kKeeper,    ///< `number`: the keeper's pid on the host
    kJoinable,  ///< the keeper waits
    kKilled,    ///< the keeper was killed by signal `number`
  };
  Kind kind = Kind::kBegin;
  Finding finding;
  int number = 0;
};

/// Ends the process when nobody reads any more.
void send_record(int pipe, const TrialRecord& record);

/// Enters new namespaces and becomes the parent of the trial's keeper, which lives until `hold`
/// closes. Without `optional` only what an instance cannot do without is tried.
[[noreturn]] void be_trial(UniqueFd report, UniqueFd hold, bool optional);

/// Joins the namespaces of the process `keeper` and starts a process there.
Finding join_trial(pid_t keeper);

}  // namespace isoenv
