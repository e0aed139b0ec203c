// A seccomp filter that answers chosen system calls with chosen errnos, as container engines do.
//
// Plain BPF, no library. Calls of another architecture are let through: this is a tool for tests,
// not a fence.
#pragma once

#include <string>
#include <vector>

namespace isoenv::test {

struct SyscallRule {
  enum class Match { kAlways, kAnyFlag, kEqual };

  int number = 0;
  int error_number = 0;
  Match match = Match::kAlways;
  unsigned argument = 0;  ///< which one is looked at
  unsigned value = 0;     ///< flags or value of its low half
};

/// `NAME=ERRNO`, or `NAME:WORD=ERRNO` for the calls with that flag, family or protocol alone:
/// `unshare=EPERM`, `clone:CLONE_NEWUSER=EPERM`, `socket:AF_INET6=EAFNOSUPPORT`. Throws
/// std::runtime_error naming the word that is not known.
SyscallRule parse_rule(const std::string& text);

/// What Docker's default profile answers a process without CAP_SYS_ADMIN
/// (https://docs.docker.com/engine/security/seccomp/).
std::vector<SyscallRule> docker_rules();

/// For the calling process and its children, for good; needs CAP_SYS_ADMIN or no_new_privs
/// (seccomp(2)). False and errno on failure.
bool install_filter(const std::vector<SyscallRule>& rules);

}  // namespace isoenv::test
