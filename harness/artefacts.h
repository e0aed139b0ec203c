// The artefact directories of instances: where logs and scratch data stay after the end.
//
// <root>/<date>-<time>-<id>/ per instance, and <root>/latest → the newest. A directory is known as
// ours by its marker `.isoenv`, locked while the instance lives; it says what the instance was and,
// once it has ended, whether anything failed. Which ones stay is retention.h's.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"

namespace isoenv {

/// `wanted` (made absolute) when it is given. Otherwise a directory per environment and spec file
/// (without a spec: per current directory) in $XDG_STATE_HOME/isoenv, or ~/.local/state/isoenv, or,
/// when it cannot be written there, in the root of the run directories. Creates nothing.
std::filesystem::path artefact_root(const std::optional<std::filesystem::path>& wanted,
                                    const std::string& environment,
                                    const std::filesystem::path& spec_file);

/// The folders that hold those roots, whether they are there or not; a root in the last one, that
/// of the run directories, is called `artefacts-…`.
std::vector<std::filesystem::path> default_artefact_places();

/// What a marker tells of the instance.
struct ArtefactRecord {
  std::string environment;
  std::filesystem::path spec_file;
  std::string name;     ///< --name; mostly ""
  pid_t keeper = 0;     ///< 0: it never had one
  bool passed = false;  ///< it has ended, and nothing had failed; false also when it was killed

  bool operator==(const ArtefactRecord&) const = default;
};

struct ArtefactDirectory {
  std::filesystem::path path;
  UniqueFd marker;  ///< holds the lock; a forked child holds it too
};

/// Creates the directory of a new instance in `root` (and the root) and points `latest` to it.
/// Throws SystemError when it cannot be created.
ArtefactDirectory create_artefact_directory(const std::filesystem::path& root,
                                            const std::string& instance_id,
                                            const ArtefactRecord& record = {});

/// Adds to the marker who the keeper is, and at the end how it went. A full disk is no failure.
void record_keeper(int marker, pid_t keeper) noexcept;
void record_end(int marker, bool passed) noexcept;

/// Reads the record from an open marker; what cannot be read stays empty.
ArtefactRecord read_record(int marker);

/// True for the name of an instance's artefact directory.
bool is_artefact_name(std::string_view name);

/// Locks a file of ours by which a directory is known; empty when another process has it locked,
/// and for anything that is not ours or not there.
UniqueFd lock_own_file(const std::filesystem::path& file);

/// Where `latest` leads, when that is a directory of an instance.
std::optional<std::filesystem::path> latest_artefacts(const std::filesystem::path& root);

/// The marker inside an artefact directory, and its name until it is locked. Its last close for
/// writing is the instance's end.
std::filesystem::path artefact_marker(const std::filesystem::path& directory);
std::filesystem::path artefact_marker_draft(const std::filesystem::path& directory);

/// True while the instance lives that the directory belongs to.
bool artefacts_in_use(const std::filesystem::path& directory);

}  // namespace isoenv
