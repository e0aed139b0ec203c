#include "harness/peer.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/unique_fd.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77  // asm-generic/socket.h
#endif

namespace isoenv {
namespace {

/// The value of a `name:` line of a file under /proc; "" when there is none.
std::string proc_value(const std::string& file, const std::string& name) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind(name, 0) == 0) return line.substr(name.size());
  }
  return "";
}

/// How many PID namespaces a process is in, from that of the mounted /proc down (proc(5), NSpid).
std::size_t depth_of(long pid) {
  std::istringstream numbers(proc_value("/proc/" + std::to_string(pid) + "/status", "NSpid:"));
  std::size_t depth = 0;
  for (long number = 0; numbers >> number;) ++depth;
  return depth;
}

/// True when the kernel tells that the peer, which has no number in our PID namespace, is not where
/// the keeper was started but in another PID namespace below.
bool is_elsewhere_below(int socket) {
  int fd = -1;
  socklen_t length = sizeof fd;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &fd, &length) != 0) return false;
  const UniqueFd process(fd);
  const std::string number = proc_value("/proc/self/fdinfo/" + std::to_string(*process), "Pid:");
  const long pid = std::strtol(number.c_str(), nullptr, 10);
  if (number.empty() || pid == 0) return false;  // no /proc, or above the place: it may see us all
  // -1: it has ended, and whoever has its connection now is not known.
  return pid < 0 || depth_of(pid) != 1;
}

}  // namespace

std::string why_not_to_talk_to(int socket) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
    return "the kernel does not tell who is asking";
  }
  if (peer.uid != ::geteuid()) {
    return "the instance belongs to uid " + std::to_string(::geteuid()) +
           " and answers nobody else";
  }
  if (peer.pid == 0 && is_elsewhere_below(socket)) {
    return "the instance answers its own processes and those where it was started, and nobody in "
           "another instance or container";
  }
  return "";
}

}  // namespace isoenv
