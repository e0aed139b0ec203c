#include "harness/run_root_cover.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "base/error.h"
#include "base/syscall.h"
#include "harness/remove_tree.h"

namespace isoenv {
namespace {

namespace fs = std::filesystem;

/// A cover holds mount points; and the run directories of instances that a test starts inside.
constexpr char kCoverOptions[] = "mode=700,size=64m,nr_inodes=4k";
constexpr unsigned long kCoverFlags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

bool is_below(const fs::path& path, const fs::path& root) {
  const auto [rest, end] = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  return rest == root.end() && end != path.end();
}

/// A directory that stays reachable by its descriptor when its path is covered.
UniqueFd open_place(const fs::path& path) {
  return open_or_throw(path.string(), O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

void mount_in_memory(const fs::path& path, unsigned long flags, const std::string& options) {
  if (::mount("isoenv", path.c_str(), "tmpfs", flags, options.c_str()) != 0) {
    throw_errno("mount a file system in memory on", path);
  }
}

/// A path of the calling process to what it has open, whatever is mounted there.
std::string path_of(int place) { return "/proc/self/fd/" + std::to_string(place); }

void bind(int place, const fs::path& path) {
  const std::string source = path_of(place);
  if (::mount(source.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    throw_errno("bind the directory", path);
  }
}

void let_pass(int place, const fs::path& path) {
  const std::string opened = path_of(place);
  struct stat status {};
  if (::stat(opened.c_str(), &status) != 0 ||
      ::chmod(opened.c_str(), (status.st_mode & 07777U) | S_IXGRP | S_IXOTH) != 0) {
    throw_errno("open the way into", path);
  }
}

bool same_directory(const fs::path& one, const fs::path& other) {
  struct stat first {};
  struct stat second {};
  return ::stat(one.c_str(), &first) == 0 && ::stat(other.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

}  // namespace

RunRootCover::RunRootCover(const RunDirectory& directory, const fs::path& artefacts)
    : directory_(directory),
      root_(directory.path().parent_path()),
      artefacts_(artefacts),
      root_place_(open_place(root_)),
      own_place_(open_place(directory.path())),
      artefact_place_(open_place(artefacts)) {
  const fs::path default_root = default_run_root_path();
  // An instance of another root would find those of the default one where everybody looks.
  if (is_real_directory(default_root) && !same_directory(default_root, root_) &&
      !is_below(directory.path(), default_root) && !is_below(artefacts, default_root)) {
    mount_in_memory(default_root, kCoverFlags, kCoverOptions);
  }
  mount_in_memory(root_, kCoverFlags, kCoverOptions);
}

void RunRootCover::show_own(bool others_pass) const {
  const fs::path& own = directory_.path();
  const mode_t passage = others_pass ? 0711 : 0700;
  if (others_pass) {
    let_pass(*open_place(root_), root_);
    let_pass(*own_place_, own);
  }
  if (::mkdir(own.c_str(), passage) != 0) throw_errno("create the directory", own);
  bind(*own_place_, own);
  const auto show_artefacts = [&](const fs::path& path) {
    fs::create_directories(path);
    bind(*artefact_place_, path);
  };
  if (is_below(artefacts_, root_)) show_artefacts(artefacts_);
  if (others_pass) {
    let_pass(*artefact_place_, artefacts_);
    show_artefacts(directory_.artefact_alias());
  }

  const fs::path temporary = directory_.temporary_directory(true);
  if (::mkdir(temporary.c_str(), passage) != 0) throw_errno("create the directory", temporary);
  mount_in_memory(temporary, MS_NOSUID | MS_NODEV, others_pass ? "mode=711" : "mode=700");
}

RunDirectory RunRootCover::below() const { return {path_of(*root_place_), directory_.id()}; }

void let_others_pass(const fs::path& directory) { let_pass(*open_place(directory), directory); }

void hide_run_roots() {
  for (const fs::path& root : {run_root_path(), default_run_root_path()}) {
    if (is_real_directory(root)) mount_in_memory(root, kCoverFlags, kCoverOptions);
  }
}

}  // namespace isoenv
