#include "harness/instances.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>

#include "base/error.h"

namespace isoenv {
namespace {

constexpr char kStartHint[] = "start one with 'isoenv up -f FILE'";

bool is_instance_id(std::string_view name) {
  return name.size() == 8 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// A directory of ours, no link.
bool is_own_directory(const std::filesystem::path& path) {
  struct stat status = {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
         status.st_uid == ::geteuid();
}

/// The directories in the root that have the name and the owner of a run directory.
std::vector<RunDirectory> run_directories(const std::filesystem::path& root) {
  std::vector<RunDirectory> found;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(root, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (is_instance_id(name) && is_own_directory(entry->path())) found.emplace_back(root, name);
  }
  return found;
}

/// True for what a start that was cut short leaves: nothing, or a lock with isoenv's own names.
bool is_half_made(const RunDirectory& directory) {
  constexpr std::array<std::string_view, 6> kOwnNames{"lock",    "lease", "lease.new",
                                                      "control", "tmp",   "artefacts"};
  std::error_code error;
  bool empty = true;
  bool has_lock = false;
  for (std::filesystem::directory_iterator entry(directory.path(), error), end;
       !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (std::find(kOwnNames.begin(), kOwnNames.end(), name) == kOwnNames.end()) return false;
    empty = false;
    has_lock = has_lock || name == "lock";
  }
  return !error && (empty || has_lock);
}

/// How messages name an instance: `shop of '/src/shop.json' named 'second'`.
std::string describe(const RunningInstance& instance) {
  const InstanceKey& key = instance.lease.key;
  std::string text = "'" + instance.lease.environment + "' of '" + key.spec_file.string() + "'";
  if (!key.name.empty()) text += " named '" + key.name + "'";
  return text;
}

std::string how_to_select(const RunningInstance& instance) {
  const InstanceKey& key = instance.lease.key;
  std::string text = "-f " + key.spec_file.string();
  if (!key.name.empty()) text += " --name " + key.name;
  return text;
}

Error ambiguous(const std::vector<RunningInstance>& candidates) {
  std::string message = std::to_string(candidates.size()) + " instances are up:";
  for (const RunningInstance& candidate : candidates) {
    message += "\n  " + describe(candidate) + ": " + how_to_select(candidate);
  }
  return Error(message, ExitCode::kUsage, "say which one is meant with -f FILE and --name NAME");
}

/// No instance is meant; what is up all the same is the best hint.
Error none_found(const std::filesystem::path& root, const Selection& selection,
                 const Caller& caller) {
  std::string message = "no instance is up";
  if (selection.file) message = "no instance of '" + selection.file->string() + "' is up";
  if (!selection.name.empty()) message += " under the name '" + selection.name + "'";
  if (caller.ctest) {
    message += " in this ctest run";
    return Error(message, ExitCode::kEnvironmentFailed,
                 "the test needs the fixture of a service (isoenv_add_test with SERVICES), and "
                 "ctest must be started at the top of the build tree");
  }

  std::string hint = selection.file
                         ? "start it with 'isoenv up -f " + selection.file->string() + "'"
                         : std::string(kStartHint);
  const auto spec_file =
      selection.file ? canonical_spec_file(*selection.file) : std::filesystem::path();
  for (const RunningInstance& instance : list_instances(root)) {
    const InstanceKey& key = instance.lease.key;
    const bool other_spec = selection.file && key.spec_file != spec_file;
    if (key.run || other_spec) continue;
    if (key.ctest) {
      hint += "; " + describe(instance) + " belongs to a ctest run, which alone can reach it";
    } else {
      hint += "; up is " + describe(instance) + ": " + how_to_select(instance);
    }
    break;
  }
  return Error(message, ExitCode::kEnvironmentFailed, hint);
}

std::optional<RunningInstance> running(RunDirectory directory) {
  if (!keeper_alive(directory)) return std::nullopt;
  std::optional<Lease> lease = read_lease(directory);
  if (!lease) return std::nullopt;
  return RunningInstance{std::move(directory), std::move(*lease)};
}

}  // namespace

std::vector<RunningInstance> list_instances(const std::filesystem::path& root) {
  std::vector<RunningInstance> instances;
  for (RunDirectory& directory : run_directories(root)) {
    if (std::optional<RunningInstance> found = running(std::move(directory))) {
      instances.push_back(std::move(*found));
    }
  }
  std::sort(instances.begin(), instances.end(), [](const auto& a, const auto& b) {
    return std::tie(a.lease.key.spec_file, a.lease.key.name, a.directory.id()) <
           std::tie(b.lease.key.spec_file, b.lease.key.name, b.directory.id());
  });
  return instances;
}

Caller current_caller() { return {ctest_above(), terminal_leader()}; }

InstanceKey shared_key(const std::filesystem::path& spec_file, const std::string& name,
                       const Caller& caller) {
  return {canonical_spec_file(spec_file), name, caller.ctest, std::nullopt};
}

std::vector<RunningInstance> select_instances(const std::filesystem::path& root,
                                              const Selection& selection, const Caller& caller) {
  if (selection.file) {
    const InstanceKey meant = shared_key(*selection.file, selection.name, caller);
    std::optional<RunningInstance> found = running({root, instance_id(meant)});
    if (!found) return {};
    return {std::move(*found)};
  }
  std::vector<RunningInstance> candidates = list_instances(root);
  std::erase_if(candidates, [&](const RunningInstance& instance) {
    const InstanceKey& key = instance.lease.key;
    if (key.run || key.ctest != caller.ctest) return true;
    return !selection.name.empty() && key.name != selection.name;
  });
  if (caller.ctest || candidates.size() < 2) return candidates;

  std::vector<RunningInstance> of_terminal;
  for (const RunningInstance& candidate : candidates) {
    if (caller.terminal_leader && candidate.lease.owner.process == *caller.terminal_leader) {
      of_terminal.push_back(candidate);
    }
  }
  if (of_terminal.size() == 1) return of_terminal;
  throw ambiguous(of_terminal.empty() ? candidates : of_terminal);
}

RunningInstance find_instance(const std::filesystem::path& root, const Selection& selection,
                              const Caller& caller) {
  const std::vector<RunningInstance> instances = select_instances(root, selection, caller);
  if (instances.empty()) throw none_found(root, selection, caller);
  if (instances.size() > 1) throw ambiguous(instances);
  return instances.front();
}

std::time_t started_at(const RunDirectory& directory) {
  struct stat status = {};
  for (const std::filesystem::path& path : {directory.lease_file(), directory.path()}) {
    if (::lstat(path.c_str(), &status) == 0) return status.st_mtime;
  }
  return 0;
}

std::vector<StaleDirectory> sweep_stale(const std::filesystem::path& root, Sweep sweep) {
  std::vector<StaleDirectory> swept;
  for (const RunDirectory& directory : run_directories(root)) {
    // Looked at before the lock is taken, as that makes a file: a foreign directory stays as it is.
    if (keeper_alive(directory)) continue;
    StaleDirectory stale{directory, read_lease(directory), started_at(directory), 0};
    if (!stale.lease && !is_half_made(directory)) continue;
    if (sweep == Sweep::kLook) {
      // One that is being started has its lock taken first and its lease locked last.
      if (StartLock::is_taken(directory) || keeper_alive(directory)) continue;
    } else {
      std::optional<StartLock> lock = StartLock::try_take(directory, &stale.error);
      if ((!lock && stale.error == 0) || keeper_alive(directory)) continue;
      if (lock) stale.error = remove_run_directory(std::move(*lock));
    }
    swept.push_back(std::move(stale));
  }
  return swept;
}

}  // namespace isoenv
