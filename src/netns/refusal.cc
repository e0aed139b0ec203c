#include "netns/refusal.h"

#include <linux/capability.h>
#include <linux/netlink.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <iterator>
#include <limits>
#include <utility>

#include "base/text.h"
#include "netns/remedy.h"

namespace isoenv {
namespace {

constexpr int kNamespaceFlags =
    CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;

struct NamespaceKind {
  const char* limit;
  int flag;
};
constexpr NamespaceKind kNamespaceKinds[] = {
    {"mnt_namespaces", CLONE_NEWNS},  {"net_namespaces", CLONE_NEWNET},
    {"pid_namespaces", CLONE_NEWPID}, {"ipc_namespaces", CLONE_NEWIPC},
    {"uts_namespaces", CLONE_NEWUTS},
};

/// A flag that no kernel knows: unshare(2) answers EINVAL before it looks at rights
/// (check_unshare_flags, kernel/fork.c), a filter its own errno before that.
constexpr int kNoSuchFlag = 1;

bool unshare_is_filtered(int flags) {
  return ::unshare(flags | kNoSuchFlag) != 0 && errno != EINVAL;
}

/// CLONE_FS excludes new mount and user namespaces: EINVAL before any right is looked at
/// (copy_process, kernel/fork.c).
bool clone_is_filtered() {
  const long pid = ::syscall(SYS_clone, kNamespaceFlags | CLONE_FS | SIGCHLD, 0, 0, 0, 0);
  const int error_number = errno;
  if (pid == 0) ::_exit(0);
  if (pid > 0) ::waitpid(static_cast<pid_t>(pid), nullptr, 0);
  return pid < 0 && error_number != EINVAL;
}

/// No address is no path: EFAULT before rights. A filter may mind some flags alone.
bool mount_is_filtered() {
  for (const unsigned long flags : {0UL, 0UL + MS_BIND, 0UL + (MS_REC | MS_SLAVE)}) {
    if (::mount(nullptr, nullptr, nullptr, flags, nullptr) != 0 && errno != EFAULT) return true;
  }
  return false;
}

/// A type with unknown bits: EINVAL before the family is looked at.
bool netlink_is_filtered() {
  const int fd = ::socket(AF_NETLINK, 1 << 30, NETLINK_ROUTE);
  const int error_number = errno;
  if (fd >= 0) ::close(fd);
  return fd < 0 && error_number != EINVAL;
}

std::string filtered_call(Attempt attempt) {
  switch (attempt) {
    case Attempt::kUserNamespace:
      return unshare_is_filtered(CLONE_NEWUSER) ? "unshare" : "";
    case Attempt::kNamespaces:
      return unshare_is_filtered(kNamespaceFlags) ? "unshare" : "";
    case Attempt::kMount:
    case Attempt::kFreshMount:
      return mount_is_filtered() ? "mount" : "";
    case Attempt::kNetwork:
      if (joining_is_filtered()) return "setns";
      return netlink_is_filtered() ? "socket" : "";
    case Attempt::kProcess:
      return clone_is_filtered() ? "clone" : "";
    case Attempt::kJoin:
      return joining_is_filtered() ? "setns" : "";
    case Attempt::kIdMap:
    case Attempt::kSysctl:
    case Attempt::kFork:
    case Attempt::kOther:
      return "";
  }
  return "";
}

/// Each kind alone, as the refused call asked for all of them; in a child, whose namespaces end
/// with it.
std::vector<std::string> exhausted_limits(Attempt attempt) {
  if (attempt == Attempt::kUserNamespace) return {"user_namespaces"};
  const pid_t child = ::fork();
  if (child == 0) {
    int found = 0;
    for (std::size_t i = 0; i < std::size(kNamespaceKinds); ++i) {
      if (::unshare(kNamespaceKinds[i].flag) != 0 && errno == ENOSPC) found |= 1 << i;
    }
    ::_exit(found);
  }
  int status = 0;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  std::vector<std::string> exhausted;
  for (std::size_t i = 0; i < std::size(kNamespaceKinds) && WIFEXITED(status); ++i) {
    if ((WEXITSTATUS(status) >> i & 1) != 0) exhausted.emplace_back(kNamespaceKinds[i].limit);
  }
  return exhausted;
}

bool is_denial(int error_number) { return error_number == EPERM || error_number == EACCES; }

/// What security modules say to a denial; rightly asked only when no filter was in the way.
Cause denied_by_module(Attempt attempt, const Machine& machine) {
  if (machine.confined_by_apparmor()) {
    // Ubuntu moves a program that creates a user namespace into this profile, which has nothing.
    if (machine.security_context.rfind("unprivileged_userns", 0) == 0) {
      return {Cause::Kind::kAppArmorUserns, ""};
    }
    return {Cause::Kind::kAppArmorProfile, machine.security_context};
  }
  if (machine.apparmor_restricts_userns && !machine.has(CAP_SYS_ADMIN) &&
      attempt != Attempt::kFreshMount) {
    return {Cause::Kind::kAppArmorUserns, ""};
  }
  if (machine.selinux_enforcing) return {Cause::Kind::kSelinux, machine.security_context};
  return {};
}

Cause of_user_namespace(int error_number, const Machine& machine) {
  if (!machine.unprivileged_userns_clone && !machine.has(CAP_SYS_ADMIN)) {
    return {Cause::Kind::kUsernsClone, ""};
  }
  if (error_number == EINVAL) return {Cause::Kind::kMissingModule, "user namespaces"};
  if (!machine.ids_mapped) return {Cause::Kind::kUnmappedIds, ""};
  if (!machine.root_is_mount_point) return {Cause::Kind::kChroot, ""};
  if (Cause cause = denied_by_module(Attempt::kUserNamespace, machine);
      cause.kind != Cause::Kind::kUnknown) {
    return cause;
  }
  // Nothing but a chroot is left then (create_user_ns, kernel/user_namespace.c).
  if (error_number == EPERM && machine.security_context.empty() && !machine.apparmor) {
    return {Cause::Kind::kChroot, ""};
  }
  return {};
}

Cause of_network(const std::string& step, int error_number, const Machine& machine) {
  if (error_number == EOPNOTSUPP || error_number == EAFNOSUPPORT ||
      error_number == EPROTONOSUPPORT) {
    const bool macvlan = step.find("macvlan") != std::string::npos;
    const bool veth = step.find("veth") != std::string::npos;
    return {Cause::Kind::kMissingModule, veth ? "veth" : macvlan ? "macvlan" : "rtnetlink"};
  }
  if (is_denial(error_number) && !machine.has(CAP_NET_ADMIN) && machine.has(CAP_SYS_ADMIN)) {
    return {Cause::Kind::kMissingCapability, "NET_ADMIN"};
  }
  return is_denial(error_number) ? denied_by_module(Attempt::kNetwork, machine) : Cause{};
}

/// `/proc/acpi, /proc/keys and 5 more`: of the file system that `step` was to mount.
std::string masks_below(const Machine& machine, const std::string& step) {
  constexpr std::size_t kTold = 3;
  const std::string top = step.find("/sys") != std::string::npos ? "/sys" : "/proc";
  std::vector<std::string> masks;
  for (const std::string& mask : machine.masks) {
    if (mask.rfind(top, 0) == 0) masks.push_back(mask);
  }
  if (masks.size() <= kTold) return join(masks, ", ");
  const std::string more = std::to_string(masks.size() - kTold);
  masks.resize(kTold);
  return join(masks, ", ") + " and " + more + " more";
}

/// What passes, on a machine that grants the thing at other times.
bool is_shortage(int error_number) {
  return error_number == ENOMEM || error_number == EMFILE || error_number == ENFILE ||
         error_number == ENOBUFS || error_number == EIO || error_number == EAGAIN;
}

std::string hint_of(const Cause& cause, const Machine& machine) {
  std::string hint = cause_text(cause);
  if (const std::vector<Remedy> all = remedies(cause, machine); !all.empty()) {
    hint += "; on " + place_name(all.front().place) + ": " + all.front().line();
  }
  return hint + (hint.empty() ? "run 'isoenv doctor' to see what this machine grants"
                              : "; 'isoenv doctor' tells more");
}

}  // namespace

std::string cause_name(Cause::Kind kind) {
  switch (kind) {
    case Cause::Kind::kUnknown:
      return "unknown";
    case Cause::Kind::kForeignKernel:
      return "foreign-kernel";
    case Cause::Kind::kSeccomp:
      return "seccomp";
    case Cause::Kind::kAppArmorUserns:
      return "apparmor-userns";
    case Cause::Kind::kAppArmorProfile:
      return "apparmor-profile";
    case Cause::Kind::kSelinux:
      return "selinux";
    case Cause::Kind::kUsernsClone:
      return "unprivileged-userns-clone";
    case Cause::Kind::kNamespaceLimit:
      return "namespace-limit";
    case Cause::Kind::kProcessLimit:
      return "process-limit";
    case Cause::Kind::kChroot:
      return "chroot";
    case Cause::Kind::kUnmappedIds:
      return "unmapped-ids";
    case Cause::Kind::kMissingCapability:
      return "missing-capability";
    case Cause::Kind::kMasked:
      return "masked";
    case Cause::Kind::kReadOnlySysctls:
      return "read-only-sysctls";
    case Cause::Kind::kMissingModule:
      return "missing-module";
  }
  return "unknown";
}

std::string cause_text(const Cause& cause) {
  switch (cause.kind) {
    case Cause::Kind::kUnknown:
      return "";
    case Cause::Kind::kForeignKernel:
      return "the kernel is " + cause.subject + ", which has no such namespaces";
    case Cause::Kind::kSeccomp:
      return "a seccomp filter refuses " + cause.subject + "(2), as container engines do";
    case Cause::Kind::kAppArmorUserns:
      return "AppArmor denies capabilities in user namespaces to programs without a profile "
             "(kernel.apparmor_restrict_unprivileged_userns=1)";
    case Cause::Kind::kAppArmorProfile:
      return "the AppArmor profile '" + cause.subject + "' forbids it";
    case Cause::Kind::kSelinux:
      return "SELinux forbids it to '" + cause.subject + "'";
    case Cause::Kind::kUsernsClone:
      return "user namespaces are closed to ordinary users "
             "(kernel.unprivileged_userns_clone=0)";
    case Cause::Kind::kNamespaceLimit:
      return "the limit " + cause.subject + " is reached";
    case Cause::Kind::kProcessLimit:
      return "the limit of processes is reached (RLIMIT_NPROC, or pids.max of the cgroup)";
    case Cause::Kind::kChroot:
      return "the root directory is a chroot's, and the kernel allows no user namespace there "
             "(user_namespaces(7))";
    case Cause::Kind::kUnmappedIds:
      return "the user namespace around does not know the user id";
    case Cause::Kind::kMissingCapability:
      return "root is without CAP_" + cause.subject + " here";
    case Cause::Kind::kMasked:
      return "parts of what is there are masked or read-only (" + cause.subject + ")";
    case Cause::Kind::kReadOnlySysctls:
      return "/proc/sys is read-only";
    case Cause::Kind::kMissingModule:
      return "the kernel has no " + cause.subject;
  }
  return "";
}

Cause find_cause(Attempt attempt, const std::string& step, int error_number, const Machine& machine,
                 const Evidence& evidence) {
  if (!machine.foreign_kernel.empty()) {
    return {Cause::Kind::kForeignKernel, machine.foreign_kernel};
  }
  if (!evidence.filtered_call.empty()) return {Cause::Kind::kSeccomp, evidence.filtered_call};
  if (error_number == ENOSPC || error_number == EUSERS) {
    if (evidence.exhausted.empty()) return {};
    const std::string& name = evidence.exhausted.front();
    const auto limit = machine.namespace_limits.find(name);
    // In a namespace below the one whose limit it is, the number says nothing.
    const bool known = limit != machine.namespace_limits.end() &&
                       limit->second != std::numeric_limits<std::int32_t>::max();
    return {Cause::Kind::kNamespaceLimit,
            "user.max_" + name + (known ? "=" + std::to_string(limit->second) : "")};
  }
  switch (attempt) {
    case Attempt::kUserNamespace:
      return of_user_namespace(error_number, machine);
    case Attempt::kIdMap:
      // To map uid 0 takes more than to map any other (verify_root_map, kernel/user_namespace.c).
      if (machine.root && !machine.has(CAP_SETFCAP)) {
        return {Cause::Kind::kMissingCapability, "SETFCAP"};
      }
      return is_denial(error_number) ? denied_by_module(attempt, machine) : Cause{};
    case Attempt::kMount:
      if (error_number == EINVAL && !machine.root_is_mount_point) {
        return {Cause::Kind::kChroot, ""};
      }
      return is_denial(error_number) ? denied_by_module(attempt, machine) : Cause{};
    case Attempt::kFreshMount:
      // mount_too_revealing, fs/namespace.c
      if (const std::string masks = masks_below(machine, step);
          error_number == EPERM && !masks.empty()) {
        return {Cause::Kind::kMasked, masks};
      }
      return is_denial(error_number) ? denied_by_module(attempt, machine) : Cause{};
    case Attempt::kSysctl:
      if (error_number == EROFS) return {Cause::Kind::kReadOnlySysctls, ""};
      return is_denial(error_number) ? denied_by_module(attempt, machine) : Cause{};
    case Attempt::kNetwork:
      return of_network(step, error_number, machine);
    case Attempt::kFork:
    case Attempt::kProcess:
      if (error_number == EAGAIN) return {Cause::Kind::kProcessLimit, ""};
      return is_denial(error_number) ? denied_by_module(attempt, machine) : Cause{};
    case Attempt::kNamespaces:
    case Attempt::kJoin:
      return is_denial(error_number) ? denied_by_module(attempt, machine) : Cause{};
    case Attempt::kOther:
      return {};
  }
  return {};
}

Refusal explain(std::string step, Attempt attempt, int error_number, const Standing& before) {
  Machine machine = read_machine();
  machine.root = before.root;
  machine.capabilities = before.capabilities;
  machine.namespace_limits = before.namespace_limits;
  Evidence evidence;
  evidence.filtered_call = filtered_call(attempt);
  const bool creates_namespaces = attempt == Attempt::kUserNamespace ||
                                  attempt == Attempt::kNamespaces || attempt == Attempt::kProcess;
  if ((error_number == ENOSPC || error_number == EUSERS) && creates_namespaces) {
    evidence.exhausted = exhausted_limits(attempt);
  }
  Cause cause = find_cause(attempt, step, error_number, machine, evidence);
  return {std::move(step), attempt, error_number, std::move(cause)};
}

/// No descriptor: EBADF before flags and rights are looked at (setns, kernel/nsproxy.c).
bool joining_is_filtered() {
  return ::setns(-1, CLONE_NEWUSER | kNamespaceFlags) != 0 && errno != EBADF;
}

Refused::Refused(Refusal refusal, const Machine& machine)
    : SystemError(refusal.error_number, refusal.step, "", ExitCode::kCannotRun,
                  hint_of(refusal.cause, machine)),
      refusal_(std::move(refusal)) {}

void throw_refusal(const Refusal& refusal) {
  if (is_shortage(refusal.error_number)) {
    throw SystemError(refusal.error_number, refusal.step, "", ExitCode::kEnvironmentFailed,
                      cause_text(refusal.cause));
  }
  throw Refused(refusal, read_machine());
}

void refuse(const std::string& step, Attempt attempt) {
  const int error_number = errno;
  throw_refusal(explain(step, attempt, error_number, read_standing()));
}

}  // namespace isoenv
