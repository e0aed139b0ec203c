#include "netns/isolation.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/syscall.h"
#include "base/unique_fd.h"

namespace isoenv {
namespace {

constexpr int kFirstFlags = CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
constexpr int kInstanceFlags = CLONE_NEWNS | kFirstFlags;

/// Maps the caller's own ids to themselves: servers that refuse uid 0 keep working. An unprivileged
/// process must give up setgroups(2) first (user_namespaces(7)). Returns the step that failed.
std::optional<std::string> map_own_ids(uid_t uid, gid_t gid) {
  const std::string uid_text = std::to_string(uid) + " " + std::to_string(uid) + " 1\n";
  const std::string gid_text = std::to_string(gid) + " " + std::to_string(gid) + " 1\n";
  if (!write_file("/proc/self/setgroups", "deny")) return "deny setgroups in a user namespace";
  if (!write_file("/proc/self/uid_map", uid_text.c_str())) return "map the user id";
  if (!write_file("/proc/self/gid_map", gid_text.c_str())) return "map the group id";
  return std::nullopt;
}

}  // namespace

std::string rung_name(Rung rung) {
  switch (rung) {
    case Rung::kUserns:
      return "userns";
    case Rung::kRoot:
      return "root";
    case Rung::kPorts:
      return "ports";
  }
  return {};
}

bool has_namespaces(const std::string& rung) { return rung != rung_name(Rung::kPorts); }

bool needs_no_user_namespace() {
  // The new network namespace is owned by the user namespace around: without CAP_NET_ADMIN there,
  // not even its loopback could be raised.
  const std::uint64_t capabilities = effective_capabilities();
  return (capabilities >> CAP_SYS_ADMIN & capabilities >> CAP_NET_ADMIN & 1U) != 0;
}

std::variant<Rung, Refusal> try_enter_new_namespaces() {
  const Standing before = read_standing();
  const auto refusal = [&](std::string step, Attempt attempt) {
    const int error_number = errno;
    return explain(std::move(step), attempt, error_number, before);
  };
  Rung rung = Rung::kRoot;
  if (!needs_no_user_namespace() || ::unshare(kFirstFlags) != 0) {
    rung = Rung::kUserns;
    const uid_t uid = ::geteuid();
    const gid_t gid = ::getegid();
    if (::unshare(CLONE_NEWUSER) != 0) {
      return refusal("create a user namespace", Attempt::kUserNamespace);
    }
    if (const auto failed = map_own_ids(uid, gid)) return refusal(*failed, Attempt::kIdMap);
    if (::unshare(kFirstFlags) != 0) {
      return refusal("create namespaces inside a user namespace", Attempt::kNamespaces);
    }
  }
  return rung;
}

Rung enter_new_namespaces() {
  const std::variant<Rung, Refusal> entered = try_enter_new_namespaces();
  if (const auto* refusal = std::get_if<Refusal>(&entered)) {
    throw_refusal(*refusal);
  }
  return std::get<Rung>(entered);
}

namespace {

/// The names of shared memory are files' names. A folder beside them is somebody's build tree, or
/// the like, and stays.
void cover_shared_memory(unsigned long flags) {
  const std::string place = "/dev/shm";
  if (::access(place.c_str(), F_OK) != 0) return;  // none to cover
  const UniqueFd host(::open(place.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  std::vector<std::string> folders;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(place, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code gone;
    if (entry->symlink_status(gone).type() == std::filesystem::file_type::directory) {
      folders.push_back(entry->path().filename());
    }
  }
  if (::mount("isoenv", place.c_str(), "tmpfs", flags, "mode=1777") != 0) {
    refuse("mount an own /dev/shm", Attempt::kMount);
  }
  for (const std::string& name : folders) {
    const std::string source = "/proc/self/fd/" + std::to_string(*host) + "/" + name;
    const std::string target = place + "/" + name;
    // A machine that binds nothing refuses the files of names, which are essential (name_files.h).
    if (::mkdir(target.c_str(), 0700) == 0)
      (void)::mount(source.c_str(), target.c_str(), nullptr, MS_BIND | MS_REC, nullptr);
  }
}

}  // namespace

void enter_own_mounts() {
  if (::unshare(CLONE_NEWNS) != 0) refuse("create a mount namespace", Attempt::kNamespaces);
  // Slave, not private: an unmount on the host still reaches us, ours never reaches the host.
  if (::mount("none", "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
    refuse("detach mounts from the host", Attempt::kMount);
  }
}

void mount_own_shared_memory() {
  // Shared memory and message queues have names in file systems, which an IPC namespace alone does
  // not separate (shm_overview(7), mq_overview(7)).
  constexpr unsigned long kFlags = MS_NOSUID | MS_NODEV;
  cover_shared_memory(kFlags);
  if (::access("/dev/mqueue", F_OK) == 0 &&
      ::mount("isoenv", "/dev/mqueue", "mqueue", kFlags | MS_NOEXEC, nullptr) != 0 &&
      errno != ENODEV) {  // a kernel without message queues
    refuse("mount an own /dev/mqueue", Attempt::kMount);
  }
}

std::vector<Seclusion> seclusions() {
  std::vector<Seclusion> possible;
  if (needs_no_user_namespace()) possible.push_back({kFirstFlags, [] {}});
  // Ids are read here: in a user namespace without maps nobody has any (user_namespaces(7)).
  const auto settle = [uid = ::geteuid(), gid = ::getegid()] {
    if (const auto failed = map_own_ids(uid, gid)) throw_errno(*failed);
  };
  possible.push_back({CLONE_NEWUSER | kFirstFlags, settle});
  return possible;
}

void join_namespaces(int pidfd) {
  // A process that is in the target's user namespace already may not join it again (EINVAL).
  struct stat own {};
  const bool own_known = ::stat("/proc/self/ns/user", &own) == 0;
  if (::setns(pidfd, CLONE_NEWUSER | kInstanceFlags) == 0) return;
  const int error_number = errno;
  if (own_known && error_number == EINVAL && ::setns(pidfd, kInstanceFlags) == 0) return;
  errno = error_number;
  const bool denied = error_number == EPERM || error_number == EACCES || error_number == ENOSYS;
  if (denied) refuse("join the instance's namespaces", Attempt::kJoin);
  throw_errno("join the instance's namespaces");
}

}  // namespace isoenv
