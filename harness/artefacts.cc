#include "harness/artefacts.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "base/error.h"
#include "harness/remove_tree.h"
#include "harness/run_dir.h"

namespace isoenv {
namespace {

constexpr char kLatest[] = "latest";

/// True when `directory` can be written, or could be after creating it.
bool could_write(std::filesystem::path directory) {
  std::error_code error;
  while (!std::filesystem::exists(std::filesystem::symlink_status(directory, error)) &&
         directory.has_relative_path()) {
    directory = directory.parent_path();
  }
  return std::filesystem::is_directory(directory, error) &&
         ::access(directory.c_str(), W_OK | X_OK) == 0;
}

/// The folder that state goes to by the XDG base directory rules, when it can be written.
std::optional<std::filesystem::path> state_home() {
  const char* const state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/' && could_write(state)) return state;
  const char* const home = std::getenv("HOME");
  if (home == nullptr || *home != '/') return std::nullopt;
  const std::filesystem::path below_home = std::filesystem::path(home) / ".local/state";
  if (!could_write(below_home)) return std::nullopt;
  return below_home;
}

/// `20240131-235959`, in local time.
std::string timestamp() {
  const std::time_t now = std::time(nullptr);
  std::tm parts = {};
  ::localtime_r(&now, &parts);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y%m%d-%H%M%S", &parts);
  return {text.data(), size};
}

/// A new directory that no other instance has, also when two start in the same second.
std::filesystem::path create_unique(const std::filesystem::path& root, const std::string& name) {
  for (int attempt = 1;; ++attempt) {
    const std::string suffix = attempt == 1 ? "" : "-" + std::to_string(attempt);
    const std::filesystem::path directory = root / (name + suffix);
    if (::mkdir(directory.c_str(), S_IRWXU | S_IRWXG | S_IRWXO) == 0) return directory;
    if (errno != EEXIST) throw_errno("create the artefact directory", directory);
  }
}

UniqueFd create_marker(const std::filesystem::path& directory) {
  // Locked before it gets its name: a marker that can be locked belongs to an ended instance.
  const std::filesystem::path draft = directory / ".isoenv.new";
  UniqueFd marker(::open(draft.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!marker) throw_errno("create the marker", draft);
  if (::flock(*marker, LOCK_EX | LOCK_NB) != 0) throw_errno("lock the marker", draft);
  if (::rename(draft.c_str(), artefact_marker(directory).c_str()) != 0) {
    throw_errno("create the marker", artefact_marker(directory));
  }
  return marker;
}

/// Only a convenience: a root where it cannot be made is no failure, and a `latest` that is no link
/// is somebody else's.
void point_latest(const std::filesystem::path& directory) {
  const std::filesystem::path latest = directory.parent_path() / kLatest;
  struct stat status = {};
  if (::lstat(latest.c_str(), &status) == 0 && !S_ISLNK(status.st_mode)) return;
  const std::string name = directory.filename();
  const std::filesystem::path draft = directory.parent_path() / ("." + name + ".latest");
  if (::symlink(name.c_str(), draft.c_str()) != 0) return;
  if (::rename(draft.c_str(), latest.c_str()) != 0) ::unlink(draft.c_str());
}

/// The marker of an ended instance, locked; empty for a living one and for anything that is not
/// ours.
UniqueFd lock_ended(const std::filesystem::path& directory) {
  UniqueFd marker(
      ::open(artefact_marker(directory).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status = {};
  if (!marker || ::fstat(*marker, &status) != 0 || !S_ISREG(status.st_mode) ||
      status.st_uid != ::geteuid() || ::flock(*marker, LOCK_EX | LOCK_NB) != 0) {
    return {};
  }
  return marker;
}

bool is_real_directory(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_directory(std::filesystem::symlink_status(path, error));
}

}  // namespace

std::filesystem::path artefact_root(const std::optional<std::filesystem::path>& wanted,
                                    const std::string& environment,
                                    const std::filesystem::path& spec_file) {
  if (wanted) return std::filesystem::absolute(*wanted).lexically_normal();
  const std::filesystem::path origin =
      spec_file.empty() ? std::filesystem::current_path() : canonical_spec_file(spec_file);
  const std::string name = environment + "-" + short_hash(origin.native());
  if (const auto home = state_home()) return *home / "isoenv" / name;
  return run_root_path() / ("artefacts-" + name);
}

void drop_old_artefacts(const std::filesystem::path& root) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(root, error), end; !error && entry != end;
       entry.increment(error)) {
    if (is_real_directory(entry->path())) names.push_back(entry->path().filename());
  }
  std::sort(names.rbegin(), names.rend());  // a name begins with its time: newest first

  const UniqueFd root_fd(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root_fd) return;
  std::size_t kept = 0;
  for (const std::string& name : names) {
    const UniqueFd marker = lock_ended(root / name);
    if (!marker || kept++ < kKeptArtefacts) continue;
    (void)remove_tree(*root_fd, name);
  }
}

ArtefactDirectory create_artefact_directory(const std::filesystem::path& root,
                                            const std::string& instance_id) {
  std::error_code error;
  std::filesystem::create_directories(root, error);
  if (error) throw SystemError(error.value(), "create the artefact directory", root);
  const std::filesystem::path directory = create_unique(root, timestamp() + "-" + instance_id);
  UniqueFd marker = create_marker(directory);
  point_latest(directory);
  return {directory, std::move(marker)};
}

std::optional<std::filesystem::path> latest_artefacts(const std::filesystem::path& root) {
  std::error_code error;
  const std::filesystem::path name = std::filesystem::read_symlink(root / kLatest, error);
  if (error || name.has_parent_path() || !is_real_directory(root / name)) return std::nullopt;
  return root / name;
}

std::filesystem::path artefact_marker(const std::filesystem::path& directory) {
  return directory / ".isoenv";
}

bool artefacts_in_use(const std::filesystem::path& directory) {
  const UniqueFd marker(
      ::open(artefact_marker(directory).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  return marker && ::flock(*marker, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace isoenv
