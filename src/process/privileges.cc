#include "process/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "base/error.h"

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

bool is_number(std::string_view text) {
  return !text.empty() && text.size() <= 10 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::vector<std::pair<std::string, std::string>> Account::variables() const {
  return {{"HOME", home}, {"USER", name}, {"LOGNAME", name}, {"SHELL", shell}};
}

Account find_account(const std::string& name_or_uid) {
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> buffer(4096);
  int error_number = ERANGE;
  for (; error_number == ERANGE && buffer.size() <= (1U << 20U); buffer.resize(buffer.size() * 2)) {
    error_number =
        is_number(name_or_uid)
            ? ::getpwuid_r(static_cast<uid_t>(std::stoul(name_or_uid)), &entry, buffer.data(),
                           buffer.size(), &found)
            : ::getpwnam_r(name_or_uid.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (error_number != ERANGE) break;
  }
  if (found == nullptr) {
    throw Error("there is no account '" + name_or_uid + "' to run it as" +
                (error_number == 0 ? "" : ": " + errno_text(error_number)));
  }
  Account account{entry.pw_name, entry.pw_dir, entry.pw_shell, entry.pw_uid, entry.pw_gid, {}};
  if (account.shell.empty()) account.shell = "/bin/sh";  // passwd(5)
  int count = 32;
  account.groups.resize(static_cast<std::size_t>(count));
  while (::getgrouplist(entry.pw_name, entry.pw_gid, account.groups.data(), &count) < 0) {
    account.groups.resize(static_cast<std::size_t>(count));
  }
  account.groups.resize(static_cast<std::size_t>(count));
  return account;
}

bool drop_capabilities() noexcept {
  return drop_bounding_set(::geteuid() == 0) && clear_sets(false);
}

void keep_debugging_capabilities() noexcept {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {};
  if (::syscall(SYS_capget, &header, sets) != 0) return;
  constexpr unsigned kKept[] = {CAP_SYS_PTRACE, CAP_NET_RAW, CAP_NET_ADMIN};
  for (const unsigned kept : kKept) {
    sets[kept / 32].inheritable |= sets[kept / 32].permitted & 1U << kept % 32;
  }
  if (::syscall(SYS_capset, &header, sets) != 0) return;
  for (const unsigned kept : kKept) {
    ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, kept, 0, 0);
  }
}

bool become_account(const Account& account) noexcept {
  // glibc's own functions change every thread of a process; these change the caller.
  return drop_bounding_set(false) &&
         ::syscall(SYS_setgroups, account.groups.size(), account.groups.data()) == 0 &&
         ::syscall(SYS_setresgid, account.gid, account.gid, account.gid) == 0 &&
         ::syscall(SYS_setresuid, account.uid, account.uid, account.uid) == 0 && clear_sets(true);
}

}  // namespace isoenv
