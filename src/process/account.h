// An account of the machine that a program can run as.
//
// Looked up by getent(1), which asks whatever the machine has for that (nsswitch.conf(5)): a
// program that is linked statically cannot do so itself.
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

/// The account of that name, or of that uid when it is a number. Throws Error when there is none,
/// or nobody can be asked.
Account find_account(const std::string& name_or_uid);

}  // namespace isoenv
