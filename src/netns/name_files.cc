#include "netns/name_files.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "base/syscall.h"
#include "netns/refusal.h"

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

namespace fs = std::filesystem;

std::string quoted(const char* path) { return "'" + std::string(path) + "'"; }

void write_new(const std::string& file, const std::string& text, const char* path) {
  const UniqueFd fd = open_or_throw(file, O_WRONLY | O_CREAT | O_EXCL, 0444);
  if (::write(*fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw_errno("write the instance's " + quoted(path));
  }
}

// The files keep their names where they were born: an unlinked file could not be mounted over again
// by an instance inside this one.
void cover(const fs::path& birthplace, const char* path, const std::string& text) {
  const std::string source = birthplace / fs::path(path).filename();
  write_new(source, text, path);
  if (::mount(source.c_str(), path, nullptr, MS_BIND, nullptr) != 0)
    throw_errno("mount over " + quoted(path));
}

/// A minimal system may have no /etc/hosts to cover, and none may be made for it: it shines through
/// an otherwise empty layer over /etc, which cannot be written (overlayfs without an upper layer).
void add_hosts(const fs::path& birthplace, const std::string& text) {
  const std::string layer = birthplace / "etc";
  if (::mkdir(layer.c_str(), 0755) != 0) throw_errno("create the directory", layer);
  write_new(layer + "/hosts", text, "/etc/hosts");
  const std::string layers = "lowerdir=" + layer + ":/etc";
  if (::mount("isoenv", "/etc", "overlay", MS_NOSUID | MS_NODEV, layers.c_str()) != 0) {
    throw SystemError(errno, "add the missing file", "/etc/hosts", ExitCode::kEnvironmentFailed,
                      "create one, an empty one will do: 'touch /etc/hosts'");
  }
}

bool exists(const char* path) { return ::access(path, F_OK) == 0; }

void cover_all(const std::string& hosts, const fs::path& birthplace) {
  if (exists("/etc/hosts")) {
    cover(birthplace, "/etc/hosts", hosts);
  } else {
    add_hosts(birthplace, hosts);
  }
  if (exists("/etc/resolv.conf"))
    cover(birthplace, "/etc/resolv.conf", "# no name server: names come from /etc/hosts\n");
  if (exists("/etc/nsswitch.conf"))
    cover(birthplace, "/etc/nsswitch.conf", nsswitch_with_files_only());
  for (const char* socket : {"/run/nscd/socket", "/var/run/nscd/socket"}) {
    if (exists(socket) && ::mount("/dev/null", socket, nullptr, MS_BIND, nullptr) != 0) {
      throw_errno("hide " + quoted(socket));
    }
  }
}

}  // namespace

void cover_name_files(const std::string& hosts, const fs::path& birthplace) {
  or_refuse(Attempt::kMount, [&] { cover_all(hosts, birthplace); });
}

void cover_name_files(const std::string& hosts) {
  or_refuse(Attempt::kMount, [&] {
    // Mounted there for a moment, in the private mount namespace only.
    const char* const birthplace = "/tmp";
    if (::mount("isoenv", birthplace, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755") != 0) {
      throw_errno("mount a file system in memory on " + quoted(birthplace));
    }
    cover_all(hosts, birthplace);
    if (::umount2(birthplace, MNT_DETACH) != 0) throw_errno("unmount " + quoted(birthplace));
  });
}

}  // namespace isoenv
