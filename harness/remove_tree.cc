#include "harness/remove_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/unique_fd.h"

namespace isoenv {
namespace {

struct CloseDirectory {
  void operator()(DIR* stream) const noexcept { ::closedir(stream); }
};

/// What tells two mounts apart. A bind mount has the same device, but another mount id (Linux 5.8).
struct Mount {
  std::uint64_t device = 0;
  std::uint64_t id = 0;

  bool operator==(const Mount&) const = default;
};

Mount mount_of(int directory) {
  struct statx attributes = {};
  if (::statx(directory, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, &attributes) != 0) {
    return {};
  }
  const bool has_id = (attributes.stx_mask & STATX_MNT_ID) != 0;
  return {(std::uint64_t{attributes.stx_dev_major} << 32) | attributes.stx_dev_minor,
          has_id ? attributes.stx_mnt_id : 0};
}

/// Every entry's name, read to the end before anything is removed.
int read_names(int directory, std::vector<std::string>& names) {
  UniqueFd copy(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!copy) return errno;
  const std::unique_ptr<DIR, CloseDirectory> stream(::fdopendir(*copy));
  if (!stream) return errno;
  (void)copy.release();
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
    errno = 0;
  }
  return errno;
}

/// Opens a directory to empty it: one of the same mount, made readable and writable if need be.
UniqueFd open_directory(int parent, const std::string& name, const Mount& mount) {
  const UniqueFd entry(
      ::openat(parent, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!entry) return {};
  if (mount_of(*entry) != mount) {
    errno = EXDEV;
    return {};
  }
  struct stat status = {};
  if (::fstat(*entry, &status) != 0) return {};
  if ((status.st_mode & S_IRWXU) != S_IRWXU) {
    // fchmod refuses an O_PATH descriptor; this path leads to the entry itself, never through a
    // link.
    const std::string opened = "/proc/self/fd/" + std::to_string(*entry);
    if (::chmod(opened.c_str(), S_IRWXU) != 0) return {};
  }
  return UniqueFd(::openat(*entry, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

int remove_entry(int parent, const std::string& name, const Mount& mount);

int empty(int directory, const Mount& mount, const std::string& kept) {
  std::vector<std::string> names;
  int first_error = read_names(directory, names);
  for (const std::string& name : names) {
    if (name == kept) continue;
    const int error = remove_entry(directory, name, mount);
    if (first_error == 0) first_error = error;
  }
  return first_error;
}

int remove_entry(int parent, const std::string& name, const Mount& mount) {
  if (::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return 0;
  const int unlink_error = errno;
  if (unlink_error != EISDIR) return unlink_error;
  if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0) return 0;  // it was empty

  const UniqueFd directory = open_directory(parent, name, mount);
  if (!directory) return errno;
  const int first_error = empty(*directory, mount, "");
  if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return first_error;
  return first_error != 0 ? first_error : errno;
}

}  // namespace

bool is_real_directory(const std::filesystem::path& path) {
  struct stat status = {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

int remove_tree(int parent, const std::string& name) {
  return remove_entry(parent, name, mount_of(parent));
}

int empty_directory(int directory, const std::string& kept) {
  return empty(directory, mount_of(directory), kept);
}

}  // namespace isoenv
