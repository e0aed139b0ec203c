#include "support/deny/seccomp_filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <map>
#include <stdexcept>

namespace isoenv::test {
namespace {

#if defined(__x86_64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "name this architecture's AUDIT_ARCH_* here"
#endif

// The low half of an argument comes first on these little-endian machines.
unsigned argument_offset(unsigned index) {
  return static_cast<unsigned>(offsetof(seccomp_data, args) + index * sizeof(__u64));
}

const std::map<std::string, int> kNumbers = {
    {"accept4", SYS_accept4},
    {"bind", SYS_bind},
    {"chdir", SYS_chdir},
    {"clone", SYS_clone},
    {"clone3", SYS_clone3},
    {"close_range", SYS_close_range},
    {"connect", SYS_connect},
    {"execve", SYS_execve},
    {"execveat", SYS_execveat},
    {"fallocate", SYS_fallocate},
    {"flock", SYS_flock},
    {"ftruncate", SYS_ftruncate},
    {"fsopen", SYS_fsopen},
    {"inotify_init1", SYS_inotify_init1},
    {"kill", SYS_kill},
    {"listen", SYS_listen},
    {"memfd_create", SYS_memfd_create},
    {"mount", SYS_mount},
    {"pidfd_open", SYS_pidfd_open},
    {"pidfd_send_signal", SYS_pidfd_send_signal},
    {"pipe2", SYS_pipe2},
    {"pivot_root", SYS_pivot_root},
    {"prctl", SYS_prctl},
    {"renameat2", SYS_renameat2},
    {"sendmsg", SYS_sendmsg},
    {"setgroups", SYS_setgroups},
    {"sethostname", SYS_sethostname},
    {"setns", SYS_setns},
    {"setrlimit", SYS_setrlimit},
    {"setsid", SYS_setsid},
    {"signalfd4", SYS_signalfd4},
    {"socket", SYS_socket},
    {"socketpair", SYS_socketpair},
    {"statx", SYS_statx},
    {"umount2", SYS_umount2},
    {"unshare", SYS_unshare},
    {"waitid", SYS_waitid},
#if defined(__x86_64__)
    {"fork", SYS_fork},
    {"rename", SYS_rename},
    {"vfork", SYS_vfork},
#endif
};

constexpr unsigned kAllNamespaces = CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS |
                                    CLONE_NEWPID | CLONE_NEWUSER | CLONE_NEWUTS;

const std::map<std::string, unsigned> kCloneFlags = {
    {"CLONE_NEWCGROUP", CLONE_NEWCGROUP}, {"CLONE_NEWIPC", CLONE_NEWIPC},
    {"CLONE_NEWNET", CLONE_NEWNET},       {"CLONE_NEWNS", CLONE_NEWNS},
    {"CLONE_NEWPID", CLONE_NEWPID},       {"CLONE_NEWUSER", CLONE_NEWUSER},
    {"CLONE_NEWUTS", CLONE_NEWUTS},       {"CLONE_NEW*", kAllNamespaces},
    {"CLONE_PARENT", CLONE_PARENT},       {"CLONE_PIDFD", CLONE_PIDFD}};

const std::map<std::string, unsigned> kFamilies = {
    {"AF_INET", AF_INET}, {"AF_INET6", AF_INET6}, {"AF_NETLINK", AF_NETLINK}, {"AF_UNIX", AF_UNIX}};

/// Protocols of AF_NETLINK; other families have none with these numbers.
const std::map<std::string, unsigned> kProtocols = {{"NETLINK_ROUTE", NETLINK_ROUTE},
                                                    {"NETLINK_SOCK_DIAG", NETLINK_SOCK_DIAG}};

const std::map<std::string, unsigned> kMountFlags = {{"MS_BIND", MS_BIND}, {"MS_SLAVE", MS_SLAVE}};

const std::map<std::string, unsigned> kPrctlOptions = {
    {"PR_SET_PDEATHSIG", PR_SET_PDEATHSIG},
    {"PR_SET_NO_NEW_PRIVS", PR_SET_NO_NEW_PRIVS},
    {"PR_CAPBSET_DROP", PR_CAPBSET_DROP},
    {"PR_SET_CHILD_SUBREAPER", PR_SET_CHILD_SUBREAPER}};

template <typename Value>
Value look_up(const std::map<std::string, Value>& table, const std::string& word) {
  const auto found = table.find(word);
  if (found == table.end()) throw std::runtime_error("'" + word + "' is not known here");
  return found->second;
}

int parse_errno(const std::string& name) {
  for (int number = 1; number < 134; ++number) {
    const char* known = ::strerrorname_np(number);
    if (known != nullptr && name == known) return number;
  }
  throw std::runtime_error("'" + name + "' is no errno");
}

void restrict_to(SyscallRule& rule, const std::string& name, const std::string& word) {
  rule.match = SyscallRule::Match::kEqual;
  if (name == "clone" || name == "unshare" || name == "setns") {
    rule.match = SyscallRule::Match::kAnyFlag;
    rule.argument = name == "setns" ? 1 : 0;
    rule.value = look_up(kCloneFlags, word);
  } else if (name == "mount") {
    rule.match = SyscallRule::Match::kAnyFlag;
    rule.argument = 3;
    rule.value = look_up(kMountFlags, word);
  } else if (name == "prctl") {
    rule.value = look_up(kPrctlOptions, word);
  } else if (name == "socket" && kProtocols.count(word) > 0) {
    // NETLINK_ROUTE is 0, the protocol of nearly every socket: the family is looked at, too.
    rule.argument = 2;
    rule.value = look_up(kProtocols, word);
  } else if (name == "socket") {
    rule.value = look_up(kFamilies, word);
  } else {
    throw std::runtime_error("'" + name + "' takes no ':'");
  }
}

class Program {
 public:
  Program() {
    load(offsetof(seccomp_data, arch));
    jump(BPF_JEQ, kArchitecture, 1, 0);
    allow();
  }

  void add(const SyscallRule& rule) {
    std::vector<sock_filter> body;
    switch (rule.match) {
      case SyscallRule::Match::kAlways:
        break;
      case SyscallRule::Match::kAnyFlag:
      case SyscallRule::Match::kEqual: {
        const unsigned short kind = rule.match == SyscallRule::Match::kEqual ? BPF_JEQ : BPF_JSET;
        if (rule.number == SYS_socket && rule.argument == 2) {
          body.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument_offset(0)));
          body.push_back(jump_to(BPF_JEQ, AF_NETLINK, 0, 3));
        }
        body.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument_offset(rule.argument)));
        body.push_back(jump_to(kind, rule.value, 0, 1));
        break;
      }
    }
    body.push_back(BPF_STMT(
        BPF_RET | BPF_K,
        SECCOMP_RET_ERRNO | (static_cast<unsigned>(rule.error_number) & SECCOMP_RET_DATA)));
    load(offsetof(seccomp_data, nr));
    jump(BPF_JEQ, static_cast<unsigned>(rule.number), 0, static_cast<unsigned char>(body.size()));
    code_.insert(code_.end(), body.begin(), body.end());
  }

  void allow() { code_.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)); }

  bool install() {
    sock_fprog program{static_cast<unsigned short>(code_.size()), code_.data()};
    return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
  }

 private:
  static sock_filter jump_to(unsigned short kind, unsigned value, unsigned char if_true,
                             unsigned char if_false) {
    return BPF_JUMP(static_cast<unsigned short>(BPF_JMP | kind | BPF_K), value, if_true, if_false);
  }
  void load(std::size_t offset) {
    code_.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offset)));
  }
  void jump(unsigned short kind, unsigned value, unsigned char if_true, unsigned char if_false) {
    code_.push_back(jump_to(kind, value, if_true, if_false));
  }

  std::vector<sock_filter> code_;
};

}  // namespace

SyscallRule parse_rule(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) throw std::runtime_error("'" + text + "' has no '=ERRNO'");
  const std::string call = text.substr(0, equals);
  const std::size_t colon = call.find(':');
  const std::string name = call.substr(0, colon);
  SyscallRule rule;
  rule.number = look_up(kNumbers, name);
  rule.error_number = parse_errno(text.substr(equals + 1));
  if (colon != std::string::npos) restrict_to(rule, name, call.substr(colon + 1));
  return rule;
}

std::vector<SyscallRule> docker_rules() {
  std::vector<SyscallRule> rules;
  for (const char* rule :
       {"unshare=EPERM", "setns=EPERM", "mount=EPERM", "umount2=EPERM", "fsopen=EPERM",
        "pivot_root=EPERM", "sethostname=EPERM", "clone:CLONE_NEW*=EPERM", "clone3=ENOSYS"}) {
    rules.push_back(parse_rule(rule));
  }
  return rules;
}

bool install_filter(const std::vector<SyscallRule>& rules) {
  Program program;
  for (const SyscallRule& rule : rules) program.add(rule);
  program.allow();
  return program.install();
}

}  // namespace isoenv::test
