// Which isolation was asked for, and whether an instance has it.
//
// --isolation, else the variable ISOENV_ISOLATION, else `auto`: the best that the machine grants.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "harness/lease.h"
#include "netns/isolation.h"

namespace isoenv {

enum class Isolation {
  kAuto,   ///< namespaces, or else ports, which is then said
  kNetns,  ///< namespaces, or nothing
  kPorts,  ///< no namespaces
};

/// The word of the option when there is one, else that of the environment. Throws Error (kUsage)
/// for any other than `auto`, `netns` and `ports`.
Isolation choose_isolation(const std::optional<std::string>& option);

/// `no namespaces, ports of the host's loopback instead: cannot …`: how a fall from namespaces is
/// told.
std::string degraded_text(const std::string& refusal);

/// Throws Error (kUsage) when the instance is up on a rung that `wanted` excludes.
void check_isolation(Isolation wanted, const Lease& lease);

/// After something was refused: whether this machine grants namespaces at all, by a trial
/// (env/trial.h). Returns what stands in their way, with code kCannotRun unless it is a shortage
/// that passes; none when nothing does, and the refusal was no rule.
std::optional<Error> find_refusal();

}  // namespace isoenv
