// Paths made absolute, and a plain word when the current directory is gone.
//
// The standard library's functions throw std::filesystem exceptions for people to puzzle over, and
// weigh the current directory even for paths that do not need it. Nothing here touches the path.
#pragma once

#include <filesystem>

namespace isoenv {

/// Throws Error when it was deleted or cannot be read.
std::filesystem::path current_directory();

/// `path` as seen from the current directory, without `.` and `..`. Throws like current_directory,
/// but only for a relative path.
std::filesystem::path absolute_path(const std::filesystem::path& path);

}  // namespace isoenv
