// deny [DENIAL…] -- COMMAND [ARG…]: becomes COMMAND on a machine that refuses what is named.
//
// For tests of what IsoEnv says and does where it is not welcome: container engines, hardened
// kernels, low limits. Nothing of the host is changed; what is denied ends with the command.
//
//   --syscall NAME[:WORD]=ERRNO  answers that system call so: unshare=EPERM,
//                                clone:CLONE_NEWUSER=EPERM, socket:NETLINK_SOCK_DIAG=EPERM
//   --docker                     Docker's default seccomp profile and, of root, capabilities
//   --drop-cap NAME|all          SYS_ADMIN, NET_ADMIN, …
//   --no-new-privs               also set, of necessity, for an ordinary user's --syscall
//   --rlimit NAME=N              nproc, nofile, fsize, memlock, stack; root minds no nproc
//   --limit NAME=N               user.max_NAME: user_namespaces=0, net_namespaces=0, …
//   --mask-proc                  /proc and /sys masked as in containers
//   --cover PATH=TEXT            a file with other words: /proc/sys/kernel/…=0
//   --without PATH               its folder, in memory and without that file: /etc/hosts
//   --read-only PATH             /tmp, /proc/sys, …
//   --no-exec PATH               the same, but programs there cannot be executed
//   --memory PATH=OPTIONS        an empty file system in memory, as tmpfs(5) has it: nr_inodes=3
//   --chroot                     a root directory below the mount namespace's own
//   --userns                     in a user namespace; --limit needs one, and an ordinary user's
//                                mounts do: then it is implied
//
// Exit codes: the command's; 125 when a denial cannot be made here, with the reason.
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/deny/narrow_world.h"
#include "support/deny/seccomp_filter.h"

namespace isoenv::test {
namespace {

constexpr int kCannotDeny = 125;

struct Denials {
  std::vector<SyscallRule> rules;
  std::vector<std::string> dropped_capabilities;
  std::vector<std::string> resource_limits;
  std::vector<std::string> namespace_limits;
  std::vector<std::string> covers;
  std::vector<std::string> missing;
  std::vector<std::string> read_only;
  std::vector<std::string> no_exec;
  std::vector<std::string> memory;
  bool docker = false;
  bool no_new_privs = false;
  bool mask_proc = false;
  bool chroot = false;
  bool userns = false;
};

/// Returns the position of the command.
int parse(int argc, char** argv, Denials& denials) {
  int i = 1;
  for (; i < argc && std::strcmp(argv[i], "--") != 0; ++i) {
    const std::string option = argv[i];
    const auto value = [&]() -> std::string {
      if (i + 1 >= argc) throw std::runtime_error("'" + option + "' needs a value");
      return argv[++i];
    };
    if (option == "--syscall") {
      denials.rules.push_back(parse_rule(value()));
    } else if (option == "--docker") {
      denials.docker = true;
    } else if (option == "--drop-cap") {
      denials.dropped_capabilities.push_back(value());
    } else if (option == "--no-new-privs") {
      denials.no_new_privs = true;
    } else if (option == "--rlimit") {
      denials.resource_limits.push_back(value());
    } else if (option == "--limit") {
      denials.namespace_limits.push_back(value());
    } else if (option == "--mask-proc") {
      denials.mask_proc = true;
    } else if (option == "--cover") {
      denials.covers.push_back(value());
    } else if (option == "--without") {
      denials.missing.push_back(value());
    } else if (option == "--read-only") {
      denials.read_only.push_back(value());
    } else if (option == "--no-exec") {
      denials.no_exec.push_back(value());
    } else if (option == "--memory") {
      denials.memory.push_back(value());
    } else if (option == "--chroot") {
      denials.chroot = true;
    } else if (option == "--userns") {
      denials.userns = true;
    } else {
      throw std::runtime_error("there is no option '" + option + "'");
    }
  }
  if (i + 1 >= argc) throw std::runtime_error("no command is given after '--'");
  return i + 1;
}

void apply(const Denials& denials) {
  const bool mounts = denials.mask_proc || denials.chroot || !denials.covers.empty() ||
                      !denials.missing.empty() || !denials.read_only.empty() ||
                      !denials.no_exec.empty() || !denials.memory.empty();
  if (denials.userns || !denials.namespace_limits.empty() || (mounts && ::geteuid() != 0)) {
    enter_user_namespace();
  }
  if (mounts) enter_mount_namespace();
  for (const std::string& limit : denials.namespace_limits) set_namespace_limit(limit);
  for (const std::string& cover : denials.covers) cover_file(cover);
  for (const std::string& path : denials.missing) leave_out(path);
  if (denials.mask_proc) mask_proc_and_sys();
  for (const std::string& memory : denials.memory) cover_with_memory(memory);
  for (const std::string& path : denials.read_only) make_read_only(path);
  for (const std::string& path : denials.no_exec) forbid_execution(path);
  if (denials.chroot) change_root();
  for (const std::string& limit : denials.resource_limits) set_limit(limit);

  std::vector<SyscallRule> rules = denials.rules;
  if (denials.docker) {
    const std::vector<SyscallRule> more = docker_rules();
    rules.insert(rules.end(), more.begin(), more.end());
  }
  if ((denials.no_new_privs || (!rules.empty() && ::geteuid() != 0)) &&
      ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    throw std::system_error(errno, std::generic_category(), "set no_new_privs");
  }
  // Beyond this point system calls fail; those that drop capabilities are not among them.
  if (!rules.empty() && !install_filter(rules)) {
    throw std::system_error(errno, std::generic_category(), "install a seccomp filter");
  }
  if (denials.docker) keep_docker_capabilities();
  for (const std::string& name : denials.dropped_capabilities) drop_capability(name);
}

}  // namespace
}  // namespace isoenv::test

int main(int argc, char** argv) {
  using namespace isoenv::test;
  try {
    Denials denials;
    const int command = parse(argc, argv, denials);
    apply(denials);
    ::execvp(argv[command], argv + command);
    std::cerr << "deny: cannot execute '" << argv[command] << "': " << std::strerror(errno) << '\n';
  } catch (const std::exception& error) {
    std::cerr << "deny: " << error.what() << '\n';
  }
  return kCannotDeny;
}
