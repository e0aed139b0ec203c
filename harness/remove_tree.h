// Recursive removal that cannot reach anything but the tree it was given.
//
// Walks by descriptors, follows no symbolic link and enters no other mount, so neither a link that
// a service planted nor something mounted inside is ever emptied. Goes on after a failure.
#pragma once

#include <filesystem>
#include <string>

namespace isoenv {

/// What a sweep does with what it finds. kLook changes nothing at all.
enum class Sweep { kRemove, kLook };

/// A directory itself, and no symbolic link to one.
[[nodiscard]] bool is_real_directory(const std::filesystem::path& path);

/// Removes `name` inside the directory `parent` (a descriptor), with everything below it.
/// Directories without write permission are made writable first. Returns 0, also when there was
/// nothing to remove, or the errno of the first failure.
[[nodiscard]] int remove_tree(int parent, const std::string& name);

/// Removes everything inside the directory but the entry called `kept`. Returns like remove_tree.
[[nodiscard]] int empty_directory(int directory, const std::string& kept);

}  // namespace isoenv
