#include "netns/isolation.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "base/error.h"
#include "base/syscall.h"

namespace isoenv {
namespace {

constexpr int kFirstFlags = CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
constexpr int kInstanceFlags = CLONE_NEWNS | kFirstFlags;

/// The first line of a small kernel file, or "".
std::string read_line(const char* path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

/// Why a machine refuses user namespaces, as far as it can be known from inside.
std::string remedy(int error_number) {
  if (read_line("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1") {
    return "AppArmor restricts unprivileged user namespaces here: allow them with 'sysctl "
           "kernel.apparmor_restrict_unprivileged_userns=0' or an AppArmor profile for this "
           "program";
  }
  if (read_line("/proc/sys/kernel/unprivileged_userns_clone") == "0") {
    return "allow user namespaces with 'sysctl kernel.unprivileged_userns_clone=1', or run as root";
  }
  if (error_number == ENOSPC || read_line("/proc/sys/user/max_user_namespaces") == "0") {
    return "raise the limit 'sysctl user.max_user_namespaces', or run as root";
  }
  return "in a container: allow unshare(2) ('docker run --security-opt seccomp=unconfined "
         "--cap-add SYS_ADMIN', or podman); elsewhere: allow user namespaces, or run as root";
}

[[noreturn]] void refuse(const std::string& step) {
  const int error_number = errno;
  throw SystemError(error_number, step, "", ExitCode::kCannotRun, remedy(error_number));
}

bool has_capability(unsigned capability) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (::syscall(SYS_capget, &header, data) != 0) return false;
  return (data[capability / 32].effective >> (capability % 32) & 1U) != 0;
}

/// Maps the caller's own ids to themselves: servers that refuse uid 0 keep working. An unprivileged
/// process must give up setgroups(2) first (user_namespaces(7)).
void map_own_ids(uid_t uid, gid_t gid) {
  const std::string uid_text = std::to_string(uid) + " " + std::to_string(uid) + " 1\n";
  const std::string gid_text = std::to_string(gid) + " " + std::to_string(gid) + " 1\n";
  if (!write_file("/proc/self/setgroups", "deny")) refuse("deny setgroups in a user namespace");
  if (!write_file("/proc/self/uid_map", uid_text.c_str())) refuse("map the user id");
  if (!write_file("/proc/self/gid_map", gid_text.c_str())) refuse("map the group id");
}

}  // namespace

std::string rung_name(Rung rung) { return rung == Rung::kRoot ? "root" : "userns"; }

Rung enter_new_namespaces() {
  Rung rung = Rung::kRoot;
  if (!has_capability(CAP_SYS_ADMIN) || ::unshare(kFirstFlags) != 0) {
    rung = Rung::kUserns;
    const uid_t uid = ::geteuid();
    const gid_t gid = ::getegid();
    if (::unshare(CLONE_NEWUSER) != 0) refuse("create a user namespace");
    map_own_ids(uid, gid);
    if (::unshare(kFirstFlags) != 0) refuse("create namespaces inside a user namespace");
  }
  return rung;
}

void enter_own_mounts() {
  if (::unshare(CLONE_NEWNS) != 0) refuse("create a mount namespace");
  // Slave, not private: an unmount on the host still reaches us, ours never reaches the host.
  if (::mount("none", "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
    refuse("detach mounts from the host");
  }
}

void join_namespaces(int pidfd) {
  // A process that is in the target's user namespace already may not join it again (EINVAL).
  struct stat own {};
  const bool own_known = ::stat("/proc/self/ns/user", &own) == 0;
  if (::setns(pidfd, CLONE_NEWUSER | kInstanceFlags) == 0) return;
  const int error_number = errno;
  if (own_known && error_number == EINVAL && ::setns(pidfd, kInstanceFlags) == 0) return;
  errno = error_number;
  throw_errno("join the instance's namespaces");
}

}  // namespace isoenv
