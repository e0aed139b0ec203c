// Which artefacts of ended instances stay.
//
// A root keeps the newest ended directories, and beyond them the newest of those whose instance
// failed; never more. An instance that recorded no good end, as one whose keeper was killed, has
// failed. In the default places the roots of specs that are gone share one such ration. Only what
// an unlocked marker proves ours and ended is removed; whatever else is there is never touched.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "harness/artefacts.h"
#include "harness/remove_tree.h"

namespace isoenv {

inline constexpr std::size_t kKeptArtefacts = 10;  ///< the newest ended ones, however they ended
inline constexpr std::size_t kKeptFailedArtefacts = 20;  ///< the newest failed ones

/// A directory that has to go by the rule.
struct OldArtefacts {
  enum class Reason {
    kOld,         ///< newer ones are kept
    kSpecGone,    ///< the same, counted with those of all specs that are gone
    kUnfinished,  ///< its start was cut short before it had a marker
  };
  std::filesystem::path directory;
  ArtefactRecord record;
  Reason reason = Reason::kOld;
  int error = 0;  ///< why it could not be removed
};

/// Applies the rule to one root. What cannot be removed is tried again next time.
std::vector<OldArtefacts> drop_old_artefacts(const std::filesystem::path& root,
                                             Sweep sweep = Sweep::kRemove);

/// A root that holds the artefacts of one instance at most. Only then there is one root more than
/// before, and perhaps one too many.
bool is_new_root(const std::filesystem::path& root);

/// The roots in a default place that hold artefacts of ours.
std::vector<std::filesystem::path> artefact_roots_in(const std::filesystem::path& place);

/// Applies the rule to the roots in all default places whose specs are gone, counted together, and
/// removes those that are empty then. `counted_out` is not there, or soon will not be.
std::vector<OldArtefacts> drop_abandoned_artefacts(
    Sweep sweep = Sweep::kRemove, const std::vector<OldArtefacts>& counted_out = {});

}  // namespace isoenv
