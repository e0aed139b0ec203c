// The artefact directories of instances: where logs and scratch data stay after the end.
//
// <root>/<date>-<time>-<id>/ per instance, and <root>/latest → the newest. A directory is known as
// ours by its marker `.isoenv`, locked while the instance lives. Old directories are removed when
// they have an unlocked marker; whatever else is in the root is never touched.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "base/unique_fd.h"

namespace isoenv {

/// How many directories of ended instances a root keeps.
inline constexpr std::size_t kKeptArtefacts = 10;

/// `wanted` (made absolute) when it is given. Otherwise a directory per environment and spec file
/// (without a spec: per current directory) in $XDG_STATE_HOME/isoenv, or ~/.local/state/isoenv, or,
/// when neither can be written, in the root of the run directories. Creates nothing.
std::filesystem::path artefact_root(const std::optional<std::filesystem::path>& wanted,
                                    const std::string& environment,
                                    const std::filesystem::path& spec_file);

struct ArtefactDirectory {
  std::filesystem::path path;
  UniqueFd marker;  ///< holds the lock; a forked child holds it too
};

/// Creates the directory of a new instance in `root` (and the root) and points `latest` to it.
/// Throws SystemError when it cannot be created.
ArtefactDirectory create_artefact_directory(const std::filesystem::path& root,
                                            const std::string& instance_id);

/// Removes all but the newest ended directories of `root`. What cannot be removed is tried again
/// next time.
void drop_old_artefacts(const std::filesystem::path& root);

/// Where `latest` leads, when that is a directory of an instance.
std::optional<std::filesystem::path> latest_artefacts(const std::filesystem::path& root);

/// The marker inside an artefact directory. Its last close for writing is the instance's end.
std::filesystem::path artefact_marker(const std::filesystem::path& directory);

/// True while the instance lives that the directory belongs to.
bool artefacts_in_use(const std::filesystem::path& directory);

}  // namespace isoenv
