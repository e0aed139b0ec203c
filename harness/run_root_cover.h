// What an instance sees of the run roots: its own directory and nothing of any other instance.
//
// In the keeper's mount namespace a small file system in memory covers the run root; in it stands
// the instance's own run directory, bound there, and its artefact directory when that is below the
// root. The default root is covered too when the instance lives in another one. Every sandbox and
// every command inherits the cover, and none can take it off: as an ordinary user because the
// mounts belong to the instance's user namespace or are locked (mount_namespaces(7)), as root
// because services have no CAP_SYS_ADMIN. The host sees nothing of it.
#pragma once

#include <filesystem>

#include "base/unique_fd.h"
#include "harness/run_dir.h"

namespace isoenv {

class RunRootCover {
 public:
  /// Covers in the calling process's mount namespace, which must be its own. `artefacts` is the
  /// instance's. Throws SystemError.
  RunRootCover(const RunDirectory& directory, const std::filesystem::path& artefacts);
  RunRootCover(const RunRootCover&) = delete;
  RunRootCover& operator=(const RunRootCover&) = delete;

  /// The cover itself: in memory, and of this mount namespace alone.
  const std::filesystem::path& path() const noexcept { return root_; }

  /// The instance's directory as it is below the cover, for the calling process alone and as long
  /// as this lives: where it can be removed. To take the cover off would have the kernel wait for
  /// all readers of the mount table (synchronize_rcu_expedited, fs/namespace.c).
  RunDirectory below() const;

  /// Makes what is the instance's own visible again. `others_pass`: programs of other accounts
  /// reach what is theirs below the instance's own directory, where the artefacts have a second
  /// place then. Throws SystemError.
  void show_own(bool others_pass) const;

 private:
  RunDirectory directory_;
  std::filesystem::path root_;
  std::filesystem::path artefacts_;
  UniqueFd root_place_;  // of what is covered
  UniqueFd own_place_;
  UniqueFd artefact_place_;
};

/// Others may reach what they know the name of in that directory, and list nothing. Throws
/// SystemError.
void let_others_pass(const std::filesystem::path& directory);

/// Covers the run roots for a command that belongs to no instance, for as long as its mount
/// namespace lives. Throws SystemError.
void hide_run_roots();

}  // namespace isoenv
