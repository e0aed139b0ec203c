#include "support/deny/narrow_world.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <map>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace isoenv::test {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& step) {
  throw std::system_error(errno, std::generic_category(), step);
}

void write_whole(const std::string& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) fail("open '" + path + "'");
  if (::write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    fail("write '" + path + "'");
  }
  ::close(file);
}

/// Every range of a map file, mapped to itself.
std::string identity(const char* map) {
  std::ifstream in(map);
  std::ostringstream out;
  unsigned long inside = 0;
  unsigned long outside = 0;
  unsigned long count = 0;
  while (in >> inside >> outside >> count) out << inside << ' ' << inside << ' ' << count << '\n';
  return out.str();
}

struct Division {
  std::string name;
  std::string value;
};

Division divide(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) throw std::runtime_error("'" + text + "' has no '='");
  return {text.substr(0, equals), text.substr(equals + 1)};
}

void mount_or_fail(const char* source, const std::string& target, const char* type,
                   unsigned long flags, const char* data = nullptr) {
  if (::mount(source, target.c_str(), type, flags, data) != 0) fail("mount on '" + target + "'");
}

/// A mount of what is there anyway, with an attribute of mount_setattr(2).
void restrict(const std::string& path, std::uint64_t attribute) {
  mount_or_fail(path.c_str(), path, nullptr, MS_BIND | MS_REC);
  // Flags that the mount below has must stay, or an ordinary user is refused
  // (mount_namespaces(7)).
  struct mount_attr attributes {};
  attributes.attr_set = attribute;
  if (::syscall(SYS_mount_setattr, AT_FDCWD, path.c_str(), AT_RECURSIVE, &attributes,
                sizeof attributes) != 0) {
    fail("restrict '" + path + "'");
  }
}

/// In numbers, as linux/capability.h counts them.
const std::map<std::string, unsigned> kCapabilities = {{"CHOWN", CAP_CHOWN},
                                                       {"DAC_OVERRIDE", CAP_DAC_OVERRIDE},
                                                       {"FOWNER", CAP_FOWNER},
                                                       {"FSETID", CAP_FSETID},
                                                       {"KILL", CAP_KILL},
                                                       {"SETGID", CAP_SETGID},
                                                       {"SETUID", CAP_SETUID},
                                                       {"SETPCAP", CAP_SETPCAP},
                                                       {"NET_BIND_SERVICE", CAP_NET_BIND_SERVICE},
                                                       {"NET_ADMIN", CAP_NET_ADMIN},
                                                       {"NET_RAW", CAP_NET_RAW},
                                                       {"SYS_CHROOT", CAP_SYS_CHROOT},
                                                       {"SYS_PTRACE", CAP_SYS_PTRACE},
                                                       {"SYS_ADMIN", CAP_SYS_ADMIN},
                                                       {"SYS_RESOURCE", CAP_SYS_RESOURCE},
                                                       {"MKNOD", CAP_MKNOD},
                                                       {"AUDIT_WRITE", CAP_AUDIT_WRITE},
                                                       {"SETFCAP", CAP_SETFCAP}};

void drop(std::initializer_list<unsigned> kept, const unsigned* only = nullptr) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {};
  if (::syscall(SYS_capget, &header, sets) != 0) fail("read the capabilities");
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (unsigned number = 0; number < 64; ++number) {
    bool keep = only != nullptr && number != *only;
    for (const unsigned one : kept) keep = keep || one == number;
    if (keep) continue;
    const int has = ::prctl(PR_CAPBSET_READ, number, 0, 0, 0);
    if (has < 0) break;  // past the last one
    // Without CAP_SETPCAP the bounding set stays: then an ordinary user has nothing to lose.
    if (has == 1 && ::prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0 && ::geteuid() == 0) {
      fail("drop a capability");
    }
    const unsigned mask = ~(1U << (number % 32));
    sets[number / 32].effective &= mask;
    sets[number / 32].permitted &= mask;
    sets[number / 32].inheritable &= mask;
  }
  if (::syscall(SYS_capset, &header, sets) != 0) fail("drop capabilities");
}

}  // namespace

void enter_user_namespace() {
  const std::string uid = std::to_string(::geteuid());
  const std::string gid = std::to_string(::getegid());
  if (::geteuid() != 0) {
    if (::unshare(CLONE_NEWUSER) != 0) fail("create a user namespace");
    write_whole("/proc/self/setgroups", "deny");
    write_whole("/proc/self/uid_map", uid + " " + uid + " 1\n");
    write_whole("/proc/self/gid_map", gid + " " + gid + " 1\n");
    return;
  }
  // Whole ranges can be mapped from outside alone (user_namespaces(7)): by a child that stays
  // there.
  const std::string uids = identity("/proc/self/uid_map");
  const std::string gids = identity("/proc/self/gid_map");
  int entered[2];
  if (::pipe2(entered, O_CLOEXEC) != 0) fail("create a pipe");
  const std::string self = "/proc/" + std::to_string(::getpid());
  const pid_t mapper = ::fork();
  if (mapper < 0) fail("fork");
  if (mapper == 0) {
    ::close(entered[1]);
    char ignored = 0;
    (void)!::read(entered[0], &ignored, 1);
    try {
      write_whole(self + "/uid_map", uids);
      write_whole(self + "/gid_map", gids);
    } catch (const std::system_error& error) {
      ::_exit(error.code().value());
    }
    ::_exit(0);
  }
  if (::unshare(CLONE_NEWUSER) != 0) fail("create a user namespace");
  ::close(entered[1]);
  ::close(entered[0]);
  int status = 0;
  ::waitpid(mapper, &status, 0);
  errno = WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
  if (errno != 0) fail("map ids");
}

void enter_mount_namespace() {
  if (::unshare(CLONE_NEWNS) != 0) fail("create a mount namespace");
  mount_or_fail("none", "/", nullptr, MS_REC | MS_SLAVE);
}

void set_namespace_limit(const std::string& text) {
  const auto [name, value] = divide(text);
  write_whole("/proc/sys/user/max_" + name, value);
}

void mask_proc_and_sys() {
  for (const char* path :
       {"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
        "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list",
        "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware"}) {
    struct stat status {};
    if (::stat(path, &status) != 0) continue;
    if (S_ISDIR(status.st_mode)) {
      mount_or_fail("deny", path, "tmpfs", MS_RDONLY, "size=0k");
    } else {
      mount_or_fail("/dev/null", path, nullptr, MS_BIND);
    }
  }
  for (const char* path :
       {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}) {
    if (::access(path, F_OK) == 0) make_read_only(path);
  }
}

void cover_file(const std::string& text) {
  const auto [path, line] = divide(text);
  if (::access(path.c_str(), F_OK) != 0) {
    mount_or_fail("deny", fs::path(path).parent_path(), "tmpfs", 0);
    std::ofstream(path) << line << '\n';
    return;
  }
  // Born in memory and mounted from there: nothing is left on any disk.
  mount_or_fail("deny", "/tmp", "tmpfs", 0);
  std::ofstream("/tmp/cover") << line << '\n';
  mount_or_fail("/tmp/cover", path, nullptr, MS_BIND);
  if (::umount2("/tmp", MNT_DETACH) != 0) fail("unmount '/tmp'");
}

void leave_out(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  mount_or_fail("deny", "/tmp", "tmpfs", 0, "mode=755");
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    std::error_code unreadable;
    if (entry.path() != path) {
      fs::copy(entry.path(), "/tmp" / entry.path().filename(),
               fs::copy_options::recursive | fs::copy_options::copy_symlinks, unreadable);
    }
  }
  mount_or_fail("/tmp", folder, nullptr, MS_BIND);
  if (::umount2("/tmp", MNT_DETACH) != 0) fail("unmount '/tmp'");
}

void make_read_only(const std::string& path) { restrict(path, MOUNT_ATTR_RDONLY); }

void forbid_execution(const std::string& path) { restrict(path, MOUNT_ATTR_NOEXEC); }

void cover_with_memory(const std::string& text) {
  const auto [path, options] = divide(text);
  mount_or_fail("deny", path, "tmpfs", 0, options.c_str());
}

void change_root() {
  mount_or_fail("/", "/mnt", nullptr, MS_BIND | MS_REC);
  const fs::path here = fs::current_path();
  if (::chroot("/mnt") != 0) fail("change the root directory");
  if (::chdir(here.c_str()) != 0) fail("come back to '" + here.string() + "'");
}

void set_limit(const std::string& text) {
  const std::map<std::string, __rlimit_resource> resources = {{"nproc", RLIMIT_NPROC},
                                                              {"nofile", RLIMIT_NOFILE},
                                                              {"fsize", RLIMIT_FSIZE},
                                                              {"memlock", RLIMIT_MEMLOCK},
                                                              {"stack", RLIMIT_STACK}};
  const auto [name, value] = divide(text);
  const auto found = resources.find(name);
  if (found == resources.end()) throw std::runtime_error("no limit is called '" + name + "'");
  const rlim_t number = std::stoul(value);
  const rlimit limit{number, number};
  if (::setrlimit(found->second, &limit) != 0) fail("set the limit '" + name + "'");
}

void drop_capability(const std::string& name) {
  if (name == "all") return drop({});
  const auto found = kCapabilities.find(name);
  if (found == kCapabilities.end()) {
    throw std::runtime_error("no capability is called '" + name + "'");
  }
  drop({}, &found->second);
}

void keep_docker_capabilities() {
  drop({CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FSETID, CAP_FOWNER, CAP_MKNOD, CAP_NET_RAW, CAP_SETGID,
        CAP_SETUID, CAP_SETFCAP, CAP_SETPCAP, CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT, CAP_KILL,
        CAP_AUDIT_WRITE});
}

}  // namespace isoenv::test
