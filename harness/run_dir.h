// The run directory of an instance, and who may start or sweep it.
//
// <root>/<id>/ holds `lock`, `lease`, `control` (a unix socket), `artefacts/`, and without
// namespaces `tmp/`; with them <root>/<id>.tmp/ is beside it, inside the instance only. The root
// belongs to one user and is closed to all others. Whoever starts or removes an instance holds its
// StartLock; a live keeper is proved by the lease (lease.h), never by the directory being there.
// Removal touches only what is inside the directory and takes the lock's file last.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/unique_fd.h"
#include "harness/owner.h"

namespace isoenv {

/// /tmp/isoenv-<uid>. Touches nothing.
std::filesystem::path default_run_root_path();

/// $ISOENV_RUNTIME_DIR (made absolute), or the default one. Touches nothing.
std::filesystem::path run_root_path();

/// The same, made (0700) when it is missing. Throws Error when it is a link or no directory,
/// belongs to another user, is open to others, or is too long for the path of a unix socket inside.
std::filesystem::path open_run_root();

/// The same when it is there already; none when it is not.
std::optional<std::filesystem::path> find_run_root();

/// What makes an instance the one that a command means.
struct InstanceKey {
  std::filesystem::path spec_file;  ///< canonical; "" without a spec
  std::string name;                 ///< --name; mostly ""
  std::optional<ProcessId> ctest;   ///< the ctest run it belongs to
  std::optional<ProcessId> run;     ///< the `isoenv run` that has it for itself

  bool operator==(const InstanceKey&) const = default;
};

/// Eight hex digits, the same for the same key and user.
std::string instance_id(const InstanceKey& key);

/// The absolute path without links; also of a file that is not there.
std::filesystem::path canonical_spec_file(const std::filesystem::path& file);

/// Names the places of one instance. Creates nothing.
class RunDirectory {
 public:
  RunDirectory(const std::filesystem::path& root, std::string id)
      : path_(root / id), id_(std::move(id)) {}

  const std::filesystem::path& path() const noexcept { return path_; }
  const std::string& id() const noexcept { return id_; }
  std::filesystem::path lock_file() const { return path_ / "lock"; }
  std::filesystem::path lease_file() const { return path_ / "lease"; }
  std::filesystem::path control_socket() const { return path_ / "control"; }
  /// Where the TMPDIRs are. With namespaces that is a mount of the instance's own, on a folder that
  /// nobody else sees: to remove one that is a mount point anywhere, the kernel waits for all who
  /// read the mount tables (detach_mounts, fs/namespace.c).
  std::filesystem::path temporary_directory(bool has_namespaces) const;
  /// Where other accounts than root find the instance's artefacts, inside the instance.
  std::filesystem::path artefact_alias() const { return path_ / "artefacts"; }

 private:
  std::filesystem::path path_;
  std::string id_;
};

/// The right to start or remove one instance. Held by one process at a time, until destroyed or the
/// process ends. A forked child holds it too: a keeper must close it.
class StartLock {
 public:
  /// Creates the run directory when it is missing and waits until the lock is free.
  static StartLock take(const RunDirectory& directory);
  /// Does neither: none when the directory is missing or another process has the lock, and with the
  /// errno in `refusal` when it cannot be had for another reason.
  static std::optional<StartLock> try_take(const RunDirectory& directory, int* refusal = nullptr);
  /// True while another process has it. Creates nothing.
  static bool is_taken(const RunDirectory& directory);

  const RunDirectory& directory() const noexcept { return directory_; }
  /// The locked descriptor, for a forked child that has to close it.
  int descriptor() const noexcept { return *file_; }

 private:
  StartLock(RunDirectory directory, UniqueFd file)
      : directory_(std::move(directory)), file_(std::move(file)) {}

  RunDirectory directory_;
  UniqueFd file_;
};

/// Removes what a dead instance left in the locked directory, so that a new one can start there.
/// Throws SystemError when something cannot be removed.
void clear_run_directory(const StartLock& lock);

/// Removes the locked directory. Returns 0 or the errno of the first failure. Whoever waits for the
/// lock creates the directory anew.
[[nodiscard]] int remove_run_directory(StartLock lock);

}  // namespace isoenv
