#include "harness/run_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstdlib>

#include "base/absolute_path.h"
#include "base/error.h"
#include "base/text.h"
#include "harness/remove_tree.h"

namespace isoenv {
namespace {

constexpr char kRuntimeVariable[] = "ISOENV_RUNTIME_DIR";
constexpr std::size_t kLongestSocketPath = sizeof(sockaddr_un::sun_path) - 1;
constexpr std::size_t kBelowRoot = sizeof("/01234567/control") - 1;

[[noreturn]] void refuse_root(const std::filesystem::path& root, const std::string& why,
                              const std::string& remedy) {
  throw Error("the run directory '" + root.string() + "' " + why, ExitCode::kEnvironmentFailed,
              remedy + ", or set " + kRuntimeVariable + " to a folder of your own");
}

[[noreturn]] void refuse_with_errno(const std::string& operation,
                                    const std::filesystem::path& subject) {
  throw SystemError(
      errno, operation, subject, ExitCode::kEnvironmentFailed,
      std::string("set ") + kRuntimeVariable + " to a folder of your own that can be written");
}

void check_root(const std::filesystem::path& root) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  const UniqueFd directory(::open(root.c_str(), kFlags));
  if (!directory) {
    const int error = errno;
    if (error == ELOOP || error == ENOTDIR) {
      refuse_root(root, "is a symbolic link or not a folder", "remove it");
    }
    errno = error;
    refuse_with_errno("open the run directory", root);
  }
  struct stat status = {};
  if (::fstat(*directory, &status) != 0) throw_errno("examine the run directory", root);
  if (status.st_uid != ::geteuid()) {
    refuse_root(root, "belongs to another user (uid " + std::to_string(status.st_uid) + ")",
                "have it removed");
  }
  // Inside an instance others may pass, to reach what belongs to them in its own directory.
  if ((status.st_mode & (S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH)) != 0) {
    refuse_root(root, "is open to other users", "run 'chmod 700 " + root.string() + "'");
  }
}

int flock_retrying(int file, int operation) {
  int result = 0;
  do {
    result = ::flock(file, operation);
  } while (result != 0 && errno == EINTR);
  return result;
}

/// True when `path` still names the open `file`: its directory was not removed in the meantime.
bool still_there(const std::filesystem::path& path, int file) {
  struct stat named = {};
  struct stat opened = {};
  return ::lstat(path.c_str(), &named) == 0 && ::fstat(file, &opened) == 0 &&
         named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

UniqueFd open_lock_file(const RunDirectory& directory) {
  constexpr int kFlags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
  return UniqueFd(::open(directory.lock_file().c_str(), kFlags, S_IRUSR | S_IWUSR));
}

}  // namespace

std::filesystem::path default_run_root_path() {
  return "/tmp/isoenv-" + std::to_string(::geteuid());
}

std::filesystem::path run_root_path() {
  const char* const chosen = std::getenv(kRuntimeVariable);
  if (chosen == nullptr || *chosen == '\0') return default_run_root_path();
  std::filesystem::path root = absolute_path(chosen);
  if (!root.has_filename() && root.has_parent_path()) root = root.parent_path();
  return root;
}

std::filesystem::path open_run_root() {
  std::filesystem::path root = run_root_path();
  if (root.native().size() + kBelowRoot > kLongestSocketPath) {
    throw Error("the run directory '" + root.string() + "' is too long for a unix socket inside: " +
                    std::to_string(root.native().size()) + " characters, at most " +
                    std::to_string(kLongestSocketPath - kBelowRoot),
                ExitCode::kUsage, std::string("set ") + kRuntimeVariable + " to a shorter path");
  }
  if (::mkdir(root.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    refuse_with_errno("create the run directory", root);
  }
  check_root(root);
  return root;
}

std::optional<std::filesystem::path> find_run_root() {
  std::filesystem::path root = run_root_path();
  struct stat status = {};
  if (::lstat(root.c_str(), &status) != 0 && errno == ENOENT) return std::nullopt;
  check_root(root);
  return root;
}

std::string instance_id(const InstanceKey& key) {
  std::string text = std::to_string(::geteuid());
  const auto append = [&text](const std::string& part) {
    text += '\0';  // stands in no path, name or number, so that no two keys give the same text
    text += part;
  };
  const auto append_process = [&append](const std::optional<ProcessId>& process) {
    append(process ? std::to_string(process->pid) : "");
    append(process ? std::to_string(process->start_time) : "");
  };
  append(key.spec_file.native());
  append(key.name);
  append_process(key.ctest);
  append_process(key.run);
  return short_hash(text);
}

std::filesystem::path canonical_spec_file(const std::filesystem::path& file) {
  std::error_code error;
  const std::filesystem::path absolute = absolute_path(file);
  const std::filesystem::path canonical = std::filesystem::weakly_canonical(absolute, error);
  return error ? absolute : canonical;
}

std::filesystem::path RunDirectory::temporary_directory(bool has_namespaces) const {
  return has_namespaces ? path_.parent_path() / (id_ + ".tmp") : path_ / "tmp";
}

StartLock StartLock::take(const RunDirectory& directory) {
  for (;;) {
    if (::mkdir(directory.path().c_str(), S_IRWXU) != 0 && errno != EEXIST) {
      refuse_with_errno("create the run directory", directory.path());
    }
    UniqueFd file = open_lock_file(directory);
    if (!file) {
      if (errno == ENOENT) continue;  // the directory was swept between the two calls
      refuse_with_errno("create the lock", directory.lock_file());
    }
    if (flock_retrying(*file, LOCK_EX) != 0) throw_errno("take the lock", directory.lock_file());
    if (still_there(directory.lock_file(), *file)) return {directory, std::move(file)};
  }
}

std::optional<StartLock> StartLock::try_take(const RunDirectory& directory, int* refusal) {
  UniqueFd file = open_lock_file(directory);
  if (!file || flock_retrying(*file, LOCK_EX | LOCK_NB) != 0) {
    const bool expected = errno == EWOULDBLOCK || errno == ENOENT;
    if (refusal != nullptr && !expected) *refusal = errno;
    return std::nullopt;
  }
  if (!still_there(directory.lock_file(), *file)) return std::nullopt;
  return StartLock(directory, std::move(file));
}

bool StartLock::is_taken(const RunDirectory& directory) {
  const UniqueFd file(::open(directory.lock_file().c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  return file && flock_retrying(*file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

void clear_run_directory(const StartLock& lock) {
  const std::filesystem::path& path = lock.directory().path();
  const UniqueFd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) throw_errno("open the run directory", path);
  if (const int error = empty_directory(*directory, "lock"); error != 0) {
    throw SystemError(error, "clear the run directory", path);
  }
}

int remove_run_directory(StartLock lock) {
  const std::filesystem::path& path = lock.directory().path();
  const UniqueFd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) return errno;
  if (const int error = empty_directory(*directory, "lock"); error != 0) return error;
  // Beyond this point others may create the lock anew, and with it own the directory.
  if (::unlink(lock.directory().lock_file().c_str()) != 0) return errno;
  if (::rmdir(path.c_str()) != 0 && errno != ENOTEMPTY && errno != ENOENT) return errno;
  return 0;
}

}  // namespace isoenv
