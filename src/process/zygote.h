// A small copy of the keeper, made before that grew, which the inits of all sandboxes are cloned
// from.
//
// A process that is cloned gets the page tables of its parent, and keeps the parent's pages as they
// were, while the parent pays a fault for every page it writes next: with the keeper as that
// parent, both would grow with every service. The inits are the keeper's own children all the same
// (CLONE_PARENT, clone(2)). The zygote holds nothing but its end of a socket, ends with the keeper,
// and nothing ends with it: a keeper without one clones inits itself.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "base/unique_fd.h"
#include "process/init.h"

namespace isoenv {

class Zygote {
 public:
  /// Forks the calling process, which is single-threaded, to execute its own program anew: that
  /// calls serve_as_zygote() when it finds itself called kZygoteName. Where it cannot be executed,
  /// the fork stays what it is. Throws SystemError.
  Zygote();
  /// Kills and reaps it.
  ~Zygote();
  Zygote(const Zygote&) = delete;
  Zygote& operator=(const Zygote&) = delete;

  /// Has an init cloned into the namespaces of `flags` (clone(2)), which reports on `control`
  /// InitReport::Kind::kBorn first, or the zygote kUnborn. The descriptors stay the caller's; the
  /// plan has neither `settle` nor `takes_terminal`. False when there is no zygote any more: then
  /// nothing was done.
  bool clone_init(std::uint64_t flags, const InitPlan& plan, int control) noexcept;

 private:
  pid_t pid_ = 0;
  UniqueFd requests_;
};

}  // namespace isoenv
