// What a program gives up before it is executed: capabilities, and root for another account.
//
// An account is looked up before any fork; the rest runs between fork and exec: system calls only,
// on the calling thread alone (the child of a vfork(2) shares its parent's memory, not its
// credentials). Nothing given up comes back: programs start with no_new_privs (launcher.h).
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

namespace isoenv {

struct Account {
  std::string name;
  std::string home;
  std::string shell;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  ///< supplementary ones, as initgroups(3) sets them

  /// HOME, USER, LOGNAME and SHELL.
  std::vector<std::pair<std::string, std::string>> variables() const;
};

/// The account of that name, or of that uid when it is a number. Throws Error when there is none.
Account find_account(const std::string& name_or_uid);

/// Leaves the calling process without inheritable and ambient capabilities, and with a bounding set
/// of what servers need under uid 0, of nothing under another. What a program executed next can
/// have is within that. False and errno when the kernel refuses.
bool drop_capabilities() noexcept;

/// What is executed next keeps, of what the caller has, the capabilities to trace processes, to see
/// packets and to change the network (as ambient ones, capabilities(7)); nothing when it has none.
void keep_debugging_capabilities() noexcept;

/// Becomes the account for good, with no capability at all. False and errno when the kernel
/// refuses: the process must not go on then.
bool become_account(const Account& account) noexcept;

}  // namespace isoenv
