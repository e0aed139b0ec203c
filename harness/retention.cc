#include "harness/retention.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "base/unique_fd.h"
#include "harness/remove_tree.h"
#include "harness/run_dir.h"

namespace isoenv {
namespace {

using Reason = OldArtefacts::Reason;

/// The real directories in `place`, newest name first.
std::vector<std::filesystem::path> directories_in(const std::filesystem::path& place) {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(place, error), end; !error && entry != end;
       entry.increment(error)) {
    if (is_real_directory(entry->path())) found.push_back(entry->path());
  }
  std::sort(found.rbegin(), found.rend());
  return found;
}

/// Who may stay: asked once for each ended directory, newest first.
class Ration {
 public:
  bool keeps(const ArtefactRecord& record) {
    const bool newest = ended_++ < kKeptArtefacts;
    const bool failed = !record.passed && failed_++ < kKeptFailedArtefacts;
    return newest || failed;
  }

 private:
  std::size_t ended_ = 0;
  std::size_t failed_ = 0;
};

/// Removes a directory whose marker the caller has locked.
int remove_ended(const std::filesystem::path& directory) {
  const UniqueFd root(::open(directory.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) return errno;
  return remove_tree(*root, directory.filename());
}

/// Removes an empty directory, or one that holds only a marker that has not got its name yet. False
/// when it is anything else. A start that is under way notices, and takes another directory.
bool drop_unfinished(const std::filesystem::path& directory, Sweep sweep, OldArtefacts& dropped) {
  if (!is_artefact_name(directory.filename().native())) return false;
  const std::filesystem::path draft = artefact_marker_draft(directory);
  struct stat status = {};
  if (::lstat(directory.c_str(), &status) != 0 || status.st_uid != ::geteuid()) return false;
  std::error_code error;
  std::filesystem::directory_iterator entry(directory, error);
  if (error) return false;
  UniqueFd marker;
  for (const std::filesystem::directory_iterator end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path() != draft || !(marker = lock_own_file(draft))) return false;
  }
  if (error) return false;
  dropped = {directory, {}, Reason::kUnfinished, 0};
  if (sweep == Sweep::kLook) return true;
  if (marker && ::unlink(draft.c_str()) != 0) dropped.error = errno;
  if (dropped.error == 0 && ::rmdir(directory.c_str()) != 0) dropped.error = errno;
  return true;
}

/// Applies the rule to the directories, newest first.
void drop(const std::vector<std::filesystem::path>& directories, Ration& ration, Reason reason,
          Sweep sweep, std::vector<OldArtefacts>& dropped) {
  for (const std::filesystem::path& directory : directories) {
    const UniqueFd marker = lock_own_file(artefact_marker(directory));
    if (!marker) continue;
    OldArtefacts old{directory, read_record(*marker), reason, 0};
    if (ration.keeps(old.record)) continue;
    if (sweep == Sweep::kRemove) old.error = remove_ended(directory);
    dropped.push_back(std::move(old));
  }
}

/// True when the spec of the newest ended directory is gone, so that nobody can start it again.
bool is_abandoned(const std::vector<std::filesystem::path>& directories) {
  for (const std::filesystem::path& directory : directories) {
    const UniqueFd marker = lock_own_file(artefact_marker(directory));
    if (!marker && artefacts_in_use(directory)) return false;
    if (!marker) continue;
    const std::filesystem::path spec_file = read_record(*marker).spec_file;
    struct stat status = {};
    return spec_file.is_absolute() && ::lstat(spec_file.c_str(), &status) != 0 &&
           (errno == ENOENT || errno == ENOTDIR);
  }
  return false;
}

/// Removes a root that holds nothing but `latest`, a link that leads nowhere.
void remove_if_empty(const std::filesystem::path& root) {
  if (!directories_in(root).empty()) return;
  const std::filesystem::path latest = root / "latest";
  std::error_code error;
  const std::filesystem::path target = std::filesystem::read_symlink(latest, error);
  if (!error && is_artefact_name(target.native())) ::unlink(latest.c_str());
  ::rmdir(root.c_str());  // refused when anything else is in it
}

}  // namespace

std::vector<OldArtefacts> drop_old_artefacts(const std::filesystem::path& root, Sweep sweep) {
  std::vector<OldArtefacts> dropped;
  Ration ration;
  const std::vector<std::filesystem::path> directories = directories_in(root);
  drop(directories, ration, Reason::kOld, sweep, dropped);
  for (const std::filesystem::path& directory : directories) {
    OldArtefacts unfinished;
    if (drop_unfinished(directory, sweep, unfinished)) dropped.push_back(std::move(unfinished));
  }
  return dropped;
}

bool is_new_root(const std::filesystem::path& root) { return directories_in(root).size() <= 1; }

std::vector<std::filesystem::path> artefact_roots_in(const std::filesystem::path& place) {
  std::vector<std::filesystem::path> roots = directories_in(place);
  const bool shared = place == run_root_path();
  std::erase_if(roots, [shared](const std::filesystem::path& root) {
    if (shared && root.filename().native().rfind("artefacts-", 0) != 0) return true;
    const std::vector<std::filesystem::path> directories = directories_in(root);
    return std::none_of(directories.begin(), directories.end(), [](const auto& directory) {
      return is_artefact_name(directory.filename().native());
    });
  });
  return roots;
}

std::vector<OldArtefacts> drop_abandoned_artefacts(Sweep sweep,
                                                   const std::vector<OldArtefacts>& counted_out) {
  std::vector<std::filesystem::path> roots;
  std::vector<std::filesystem::path> directories;
  for (const std::filesystem::path& place : default_artefact_places()) {
    for (std::filesystem::path& root : artefact_roots_in(place)) {
      const std::vector<std::filesystem::path> found = directories_in(root);
      if (!is_abandoned(found)) continue;
      directories.insert(directories.end(), found.begin(), found.end());
      roots.push_back(std::move(root));
    }
  }
  std::erase_if(directories, [&](const std::filesystem::path& directory) {
    return std::any_of(counted_out.begin(), counted_out.end(),
                       [&](const OldArtefacts& out) { return out.directory == directory; });
  });
  std::sort(directories.begin(), directories.end(),
            [](const auto& a, const auto& b) { return a.filename() > b.filename(); });
  std::vector<OldArtefacts> dropped;
  Ration ration;
  drop(directories, ration, Reason::kSpecGone, sweep, dropped);
  if (sweep == Sweep::kRemove) {
    for (const std::filesystem::path& root : roots) remove_if_empty(root);
  }
  return dropped;
}

}  // namespace isoenv
