#include "netns/name_files.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "base/syscall.h"

namespace isoenv {
namespace {

/// Host names come from the hosts file alone; every other database stays as the host has it.
std::string nsswitch_with_files_only() {
  std::ifstream in("/etc/nsswitch.conf");
  std::ostringstream out;
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("hosts:", 0) != 0) out << line << '\n';
  }
  out << "hosts: files\n";
  return out.str();
}

/// Where the files are born: a file system in memory, mounted here for a moment in the private
/// mount namespace only, so that nothing is ever written to the host's disk. The files keep their
/// names in it: an unlinked file could not be mounted over again by an instance inside this one.
constexpr const char* kBirthplace = "/tmp";

void cover(const char* path, const std::string& text) {
  const std::string source =
      kBirthplace + std::string("/") + std::filesystem::path(path).filename().string();
  const UniqueFd file = open_or_throw(source, O_WRONLY | O_CREAT | O_EXCL, 0444);
  if (::write(*file, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw_errno("write the instance's", path);
  }
  if (::mount(source.c_str(), path, nullptr, MS_BIND, nullptr) != 0)
    throw_errno("mount over", path);
}

bool exists(const char* path) { return ::access(path, F_OK) == 0; }

}  // namespace

void cover_name_files(const std::string& hosts) {
  if (::mount("isoenv", kBirthplace, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755") != 0) {
    throw_errno("mount a file system in memory on", kBirthplace);
  }
  cover("/etc/hosts", hosts);
  if (exists("/etc/resolv.conf"))
    cover("/etc/resolv.conf", "# no name server: names come from /etc/hosts\n");
  if (exists("/etc/nsswitch.conf")) cover("/etc/nsswitch.conf", nsswitch_with_files_only());
  for (const char* socket : {"/run/nscd/socket", "/var/run/nscd/socket"}) {
    if (exists(socket) && ::mount("/dev/null", socket, nullptr, MS_BIND, nullptr) != 0) {
      throw_errno("hide", socket);
    }
  }
  if (::umount2(kBirthplace, MNT_DETACH) != 0) throw_errno("unmount", kBirthplace);
}

}  // namespace isoenv
