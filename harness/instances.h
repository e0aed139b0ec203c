// The instances of this user: which live, which one a command means, and sweeping dead ones.
//
// Only live instances (lease locked) are ever listed or chosen. Sweeping removes directories that a
// lease proves ours and dead, or that are half-made by us; it skips whatever is locked, and never
// touches a name or a content that isoenv does not make.
#pragma once

#include <ctime>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/lease.h"
#include "harness/owner.h"
#include "harness/remove_tree.h"
#include "harness/run_dir.h"

namespace isoenv {

struct RunningInstance {
  RunDirectory directory;
  Lease lease;
};

/// Every live instance of this user, sorted by spec file and name; those of `isoenv run` too.
std::vector<RunningInstance> list_instances(const std::filesystem::path& root);

/// What the user said about the instance meant: -f FILE and --name NAME.
struct Selection {
  std::optional<std::filesystem::path> file;
  std::string name;
};

/// Where the command was called: it decides which instances belong to it.
struct Caller {
  std::optional<ProcessId> ctest;
  std::optional<ProcessId> terminal_leader;
};

/// Reads /proc. Call it before entering a namespace.
Caller current_caller();

/// The key of the instance that `isoenv up` would start or join.
InstanceKey shared_key(const std::filesystem::path& spec_file, const std::string& name,
                       const Caller& caller);

/// The live instances meant: with a file, the one of that key; without a file, under ctest all of
/// that ctest run, elsewhere the only one that belongs to no ctest run (several: the only one of
/// the caller's terminal). Those of `isoenv run` are never meant. May be empty. Throws Error
/// (kUsage) when several could be meant and nothing decides.
std::vector<RunningInstance> select_instances(const std::filesystem::path& root,
                                              const Selection& selection, const Caller& caller);

/// The one instance meant. Throws Error when there is none, or when several could be meant.
RunningInstance find_instance(const std::filesystem::path& root, const Selection& selection,
                              const Caller& caller);

/// The run directory of a dead instance.
struct StaleDirectory {
  RunDirectory directory;
  std::optional<Lease> lease;  ///< none: its start was cut short, or its lease cannot be read
  std::time_t since = 0;       ///< when it was started
  int error = 0;               ///< why it could not be removed
};

/// Removes the run directories of dead instances. No process is asked or signalled: pids in a lease
/// prove nothing, its lock does, also after a reboot.
std::vector<StaleDirectory> sweep_stale(const std::filesystem::path& root,
                                        Sweep sweep = Sweep::kRemove);

/// When the instance of the run directory was started, by its lease or else its directory.
std::time_t started_at(const RunDirectory& directory);

}  // namespace isoenv
