// How names resolve inside an instance: a hosts file of our own, and no way to a host resolver.
#pragma once

#include <filesystem>
#include <string>

namespace isoenv {

/// Covers /etc/hosts, /etc/resolv.conf and /etc/nsswitch.conf in the calling process's mount
/// namespace, which must not be the host's, and hides nscd's socket (glibc asks it before
/// nsswitch.conf, nscd(8)). The host's files are not touched; the new ones stand in
/// `birthplace`, on a file system in memory of that namespace. Throws SystemError with code
/// kCannotRun when the machine refuses.
void cover_name_files(const std::string& hosts, const std::filesystem::path& birthplace);

/// The same with a birthplace of its own.
void cover_name_files(const std::string& hosts);

}  // namespace isoenv
