#include "process/privileges.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace isoenv {
namespace {

/// What a service that runs as root keeps: what servers need to get at their files and to become
/// the account they serve as. docs/security.md says for each what needs it.
constexpr unsigned kKeptCapabilities[] = {
    CAP_CHOWN,             // give data directories to the server's account
    CAP_DAC_OVERRIDE,      // open files of other accounts
    CAP_FOWNER,            // and change their modes and times
    CAP_SETUID,            // become the server's account
    CAP_SETGID,            // and its groups
    CAP_KILL,              // signal workers that have become it
    CAP_NET_BIND_SERVICE,  // bind low ports where the sysctl for them cannot be set
    CAP_SYS_CHROOT,        // lock workers into an empty directory
    CAP_AUDIT_WRITE,       // logins (sshd, PAM) end without it
};

bool is_kept(unsigned capability) noexcept {
  for (const unsigned kept : kKeptCapabilities) {
    if (kept == capability) return true;
  }
  return false;
}

bool drop_bounding_set(bool as_root) noexcept {
  for (unsigned capability = 0; capability <= 63; ++capability) {
    if (as_root && is_kept(capability)) continue;
    if (::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 0) continue;
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) continue;
    if (errno == EINVAL) return true;  // past the last
    // Without CAP_SETPCAP, outside a user namespace: an ordinary user has none to lose.
    return errno == EPERM && !as_root;
  }
  return true;
}

/// Inheritable and ambient ones; `all`: the others too.
bool clear_sets(bool all) noexcept {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {};
  if (::syscall(SYS_capget, &header, sets) != 0) return false;
  for (__user_cap_data_struct& set : sets) {
    set.inheritable = 0;
    if (all) set.effective = set.permitted = 0;
  }
  return ::syscall(SYS_capset, &header, sets) == 0 &&
         ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0;
}

/// Makes those of the permitted ones that are `wanted` ambient, capabilities(7).
template <typename Wanted>
bool keep_capabilities(Wanted wanted) noexcept {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {};
  if (::syscall(SYS_capget, &header, sets) != 0) return false;
  const auto kept = [&](unsigned capability) {
    return wanted(capability) && (sets[capability / 32].permitted & 1U << capability % 32) != 0;
  };
  for (unsigned capability = 0; capability < 64; ++capability) {
    if (kept(capability)) sets[capability / 32].inheritable |= 1U << capability % 32;
  }
  if (::syscall(SYS_capset, &header, sets) != 0) return false;
  bool all = true;
  for (unsigned capability = 0; capability < 64; ++capability) {
    if (kept(capability))
      all &= ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) == 0;
  }
  return all;
}

}  // namespace

bool bound_capabilities() noexcept { return drop_bounding_set(::geteuid() == 0); }

bool drop_capabilities() noexcept { return bound_capabilities() && clear_sets(false); }

void keep_debugging_capabilities() noexcept {
  (void)keep_capabilities([](unsigned capability) {
    return capability == CAP_SYS_PTRACE || capability == CAP_NET_RAW || capability == CAP_NET_ADMIN;
  });
}

bool keep_all_capabilities() noexcept {
  return keep_capabilities([](unsigned) { return true; });
}

bool become_account(const Account& account) noexcept {
  // glibc's own functions change every thread of a process; these change the caller.
  return drop_bounding_set(false) &&
         ::syscall(SYS_setgroups, account.groups.size(), account.groups.data()) == 0 &&
         ::syscall(SYS_setresgid, account.gid, account.gid, account.gid) == 0 &&
         ::syscall(SYS_setresuid, account.uid, account.uid, account.uid) == 0 && clear_sets(true);
}

}  // namespace isoenv
