// The lease: what an instance is, and the proof that its keeper lives.
//
// The keeper holds the lease file locked (flock) as long as it lives. The file appears complete and
// locked in one step, so a lease that can be locked belongs to a dead keeper, whatever pids say,
// also from inside another PID namespace.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/unique_fd.h"
#include "harness/owner.h"
#include "harness/run_dir.h"

namespace isoenv {

struct Lease {
  InstanceKey key;
  std::string environment;                   ///< "" without a spec
  std::filesystem::path artefact_directory;  ///< of this instance
  ProcessId keeper;                          ///< as seen from the host's PID namespace
  Owner owner;
  std::string rung{};       ///< what isolation it has (rung_name)
  std::string refusal{};    ///< why it has no better one; "" when nothing better was asked for
  std::string version;      ///< of the isoenv that started it
  std::string spec_digest;  ///< of the spec that it runs, EnvironmentSpec::digest

  bool operator==(const Lease&) const = default;
};

/// Writes the lease of the directory whose StartLock the caller holds. The returned descriptor
/// keeps it locked until it and all its copies in forked children are closed.
[[nodiscard]] UniqueFd write_lease(const RunDirectory& directory, const Lease& lease);

/// The text of a lease file, and back; none when isoenv would not have written it.
std::string lease_text(const Lease& lease);
std::optional<Lease> parse_lease(std::string_view text);

/// None when there is no lease, or one that isoenv did not write.
std::optional<Lease> read_lease(const RunDirectory& directory);

/// True while the lease is locked.
bool keeper_alive(const RunDirectory& directory);

/// The lease of the keeper that is there now, to wait for the end of exactly that one: by then the
/// path may lead to the lease of its successor. Empty when there is none.
UniqueFd open_lease(const RunDirectory& directory);

/// Blocks until that lease is no longer locked; returns at once when it is empty.
void wait_for_keeper_end(const UniqueFd& lease);

/// Removes the run directory when no keeper lives in it, after whoever holds its StartLock now. For
/// those who saw a keeper end and cannot know whether it had the time to clean up.
void remove_if_dead(const RunDirectory& directory);

}  // namespace isoenv
