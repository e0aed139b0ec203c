#include "netns/name_files.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "base/unique_fd.h"

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

/// Mounts a file with `text` over `path`. The file has no name of its own from the start, so
/// nothing can stay behind.
void cover(const char* path, const std::string& text) {
  char temporary[] = "/tmp/isoenv-XXXXXX";
  const UniqueFd file(::mkostemp(temporary, O_CLOEXEC));
  if (!file) throw_errno("create a temporary file", temporary);
  const bool prepared =
      ::fchmod(*file, 0444) == 0 &&
      ::write(*file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::mount(temporary, path, nullptr, MS_BIND, nullptr) == 0;
  const int error_number = errno;
  ::unlink(temporary);
  if (prepared) return;
  errno = error_number;
  throw_errno("mount over", path);
}

bool exists(const char* path) { return ::access(path, F_OK) == 0; }

}  // namespace

void cover_name_files(const std::string& hosts) {
  cover("/etc/hosts", hosts);
  if (exists("/etc/resolv.conf"))
    cover("/etc/resolv.conf", "# no name server: names come from /etc/hosts\n");
  if (exists("/etc/nsswitch.conf")) cover("/etc/nsswitch.conf", nsswitch_with_files_only());
  for (const char* socket : {"/run/nscd/socket", "/var/run/nscd/socket"}) {
    if (exists(socket) && ::mount("/dev/null", socket, nullptr, MS_BIND, nullptr) != 0) {
      throw_errno("hide", socket);
    }
  }
}

}  // namespace isoenv
