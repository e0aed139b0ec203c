// Whether this machine grants what an instance needs, tried end to end in throw-away processes.
//
// The product's own code does the trying: an instance in small, with its namespaces, its hub,
// one service on a link of its own, and a command that joins. Nothing of it survives the call, also
// when the machine kills it halfway; the caller's own process, which must be single-threaded,
// changes nothing of itself.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "netns/isolation.h"
#include "netns/refusal.h"

namespace isoenv {

/// What a capability is needed for.
enum class Purpose {
  kUserns,    ///< the rung `userns` alone
  kRoot,      ///< the rung `root` alone
  kNetns,     ///< both rungs with namespaces
  kEvery,     ///< every rung
  kPorts,     ///< the rung `ports` alone
  kOptional,  ///< something works better with it
};

struct Finding {
  enum class State {
    kOk,
    kDegraded,  ///< refused, and only optional
    kRefused,
    kUntried,  ///< something before it was refused, or this rung does without
  };

  std::string capability;  ///< `user-namespace`, …: for programs, stable
  Purpose purpose = Purpose::kNetns;
  State state = State::kUntried;
  std::string detail;  ///< what was found, or what goes without it; may be ""
  std::string step;    ///< when refused or degraded
  int error_number = 0;
  Cause cause;

  bool operator==(const Finding&) const = default;
};

struct Trial {
  std::optional<Rung> rung;  ///< that with namespaces that works; none: isolation is refused
  std::vector<Finding> findings;

  /// The first refusal that stands in the way of namespaces.
  const Finding* refusal() const;
};

/// Tries everything, optional things too.
Trial try_isolation();

/// Why an instance with namespaces cannot be had here; nothing when it can. The same trial without
/// what is optional: a few milliseconds.
std::optional<Refusal> isolation_refusal();

}  // namespace isoenv
