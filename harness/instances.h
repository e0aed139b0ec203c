// The instances of this user: which live, which one a command means, and sweeping dead ones.
//
// Only live instances (lease locked) are ever listed or chosen. Sweeping removes directories that a
// lease proves ours and dead, or that are half-made by us; it skips whatever is locked, and never
// touches a name or a content that isoenv does not make.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/lease.h"
#include "harness/owner.h"
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

struct SweepResult {
  std::vector<std::filesystem::path> removed;
  std::vector<std::pair<std::filesystem::path, int>> failed;  ///< with the errno of the failure
};

/// Removes the run directories of dead instances.
SweepResult sweep_stale(const std::filesystem::path& root);

}  // namespace isoenv
