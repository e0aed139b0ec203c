#include "harness/artefacts.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <array>
#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/absolute_path.h"
#include "base/error.h"
#include "base/text.h"
#include "harness/remove_tree.h"
#include "harness/run_dir.h"

namespace isoenv {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kLatest[] = "latest";
constexpr char kOtherRoot[] = "choose a folder that can be written with --artefacts DIR";

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

/// Where state goes by the XDG base directory rules, best first.
std::vector<std::filesystem::path> state_places() {
  std::vector<std::filesystem::path> places;
  const char* const state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') places.push_back(std::filesystem::path(state) / "isoenv");
  const char* const home = std::getenv("HOME");
  if (home != nullptr && *home == '/') {
    places.push_back(std::filesystem::path(home) / ".local/state/isoenv");
  }
  return places;
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

/// A new directory that no other instance has, also when two start in the same second; empty when
/// the root was removed meanwhile, as an abandoned one.
std::filesystem::path create_unique(const std::filesystem::path& root, const std::string& name) {
  for (int attempt = 1;; ++attempt) {
    const std::string suffix = attempt == 1 ? "" : "-" + std::to_string(attempt);
    const std::filesystem::path directory = root / (name + suffix);
    if (::mkdir(directory.c_str(), S_IRWXU | S_IRWXG | S_IRWXO) == 0) return directory;
    if (errno == EEXIST) continue;
    if (errno == ENOENT) return {};
    throw SystemError(errno, "create the artefact directory", directory,
                      ExitCode::kEnvironmentFailed, kOtherRoot);
  }
}

/// The marker's text: a JSON object a line, each telling more.
bool append(int marker, const Json& json) {
  // Names and paths may hold bytes that are no UTF-8; they are only told to people.
  const std::string line = json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  const ssize_t written = ::write(marker, line.data(), line.size());
  if (written >= 0 && written != static_cast<ssize_t>(line.size())) errno = ENOSPC;
  return written == static_cast<ssize_t>(line.size());
}

/// Empty when somebody took the directory for an abandoned start and removed it in between.
UniqueFd create_marker(const std::filesystem::path& directory, const ArtefactRecord& record) {
  // Locked before it gets its name: a marker that can be locked belongs to an ended instance.
  const std::filesystem::path draft = artefact_marker_draft(directory);
  constexpr int kFlags = O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC;
  UniqueFd marker(::open(draft.c_str(), kFlags, S_IRUSR | S_IWUSR));
  if (!marker && errno == ENOENT) return {};
  if (!marker) throw_errno("create the marker", draft);
  if (::flock(*marker, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return {};
    throw_errno("lock the marker", draft);
  }
  const Json json = {{"environment", record.environment},
                     {"spec_file", record.spec_file.native()},
                     {"name", record.name}};
  if (!append(*marker, json)) throw_errno("write the marker", draft);
  if (::rename(draft.c_str(), artefact_marker(directory).c_str()) != 0) {
    if (errno == ENOENT) return {};
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

}  // namespace

std::filesystem::path artefact_root(const std::optional<std::filesystem::path>& wanted,
                                    const std::string& environment,
                                    const std::filesystem::path& spec_file) {
  if (wanted) return absolute_path(*wanted);
  const std::filesystem::path origin =
      spec_file.empty() ? current_directory() : canonical_spec_file(spec_file);
  const std::string name = environment + "-" + short_hash(origin.native());
  for (const std::filesystem::path& place : state_places()) {
    if (could_write(place / name)) return place / name;
  }
  return run_root_path() / ("artefacts-" + name);
}

std::vector<std::filesystem::path> default_artefact_places() {
  std::vector<std::filesystem::path> places = state_places();
  places.push_back(run_root_path());
  return places;
}

ArtefactDirectory create_artefact_directory(const std::filesystem::path& root,
                                            const std::string& instance_id,
                                            const ArtefactRecord& record) {
  for (;;) {
    std::error_code error;
    // A new folder for state is its user's alone (XDG base directory rules); a build tree follows
    // the umask.
    for (const std::filesystem::path& place : state_places()) {
      if (root.parent_path() != place) continue;
      std::filesystem::create_directories(place.parent_path(), error);
      (void)!::mkdir(place.c_str(), S_IRWXU);
    }
    std::filesystem::create_directories(root, error);
    if (error) {
      throw SystemError(error.value(), "create the artefact directory", root,
                        ExitCode::kEnvironmentFailed, kOtherRoot);
    }
    const std::filesystem::path directory = create_unique(root, timestamp() + "-" + instance_id);
    if (directory.empty()) continue;
    UniqueFd marker = create_marker(directory, record);
    if (!marker) continue;
    point_latest(directory);
    return {directory, std::move(marker)};
  }
}

void record_keeper(int marker, pid_t keeper) noexcept {
  (void)append(marker, {{"keeper", keeper}});
}

void record_end(int marker, bool passed) noexcept { (void)append(marker, {{"passed", passed}}); }

ArtefactRecord read_record(int marker) {
  std::array<char, 16384> text{};
  const ssize_t size = ::pread(marker, text.data(), text.size(), 0);
  if (size <= 0) return {};
  Json all = Json::object();
  std::istringstream lines(std::string(text.data(), static_cast<std::size_t>(size)));
  for (std::string line; std::getline(lines, line);) {
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (json.is_object()) all.update(json);
  }
  ArtefactRecord record;
  try {
    record.environment = all.value("environment", "");
    record.spec_file = all.value("spec_file", "");
    record.name = all.value("name", "");
    record.keeper = all.value("keeper", 0);
    record.passed = all.value("passed", false);
  } catch (const Json::exception&) {
    return {};
  }
  return record;
}

bool is_artefact_name(std::string_view name) {
  // 20240131-235959-0123abcd, and a number when several started in one second
  constexpr std::string_view kForm = "dddddddd-dddddd-xxxxxxxx";
  if (name.size() < kForm.size()) return false;
  const auto all_of = [](std::string_view text, std::string_view letters) {
    return text.find_first_not_of(letters) == std::string_view::npos;
  };
  constexpr std::string_view kDigits = "0123456789";
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    const std::string_view letters = kForm[i] == 'd'   ? kDigits
                                     : kForm[i] == 'x' ? std::string_view("0123456789abcdef")
                                                       : std::string_view("-");
    if (!all_of(name.substr(i, 1), letters)) return false;
  }
  const std::string_view suffix = name.substr(kForm.size());
  return suffix.empty() ||
         (suffix.size() > 1 && suffix.front() == '-' && all_of(suffix.substr(1), kDigits));
}

UniqueFd lock_own_file(const std::filesystem::path& file) {
  UniqueFd opened(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status = {};
  if (!opened || ::fstat(*opened, &status) != 0 || !S_ISREG(status.st_mode) ||
      status.st_uid != ::geteuid() || ::flock(*opened, LOCK_EX | LOCK_NB) != 0) {
    return {};
  }
  return opened;
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

std::filesystem::path artefact_marker_draft(const std::filesystem::path& directory) {
  return directory / ".isoenv.new";
}

bool artefacts_in_use(const std::filesystem::path& directory) {
  const UniqueFd marker(
      ::open(artefact_marker(directory).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  return marker && ::flock(*marker, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace isoenv
