#include "netns/machine.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

namespace isoenv {
namespace {

namespace fs = std::filesystem;

/// The first line of a small kernel file, or "". AppArmor ends its own with a NUL.
std::string first_line(const fs::path& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  while (!line.empty() && (line.back() == '\0' || line.back() == '\n')) line.pop_back();
  return line;
}

std::string field(const fs::path& status, const std::string& name) {
  std::ifstream in(status);
  for (std::string line; std::getline(in, line);) {
    if (line.rfind(name + ":", 0) != 0) continue;
    const std::size_t begin = line.find_first_not_of(" \t", name.size() + 1);
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return "";
}

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

/// A program's user id that the namespace does not know reads as the overflow id, and no range of
/// the map holds it (user_namespaces(7)).
bool holds(const fs::path& map, unsigned long id) {
  std::ifstream in(map);
  unsigned long inside = 0;
  unsigned long outside = 0;
  unsigned long count = 0;
  bool any = false;
  while (in >> inside >> outside >> count) {
    any = true;
    if (id >= inside && id - inside < count) return true;
  }
  return !any;
}

struct Mounts {
  bool root = false;
  bool proc_sys_read_only = false;
  std::vector<std::string> masks;
};

/// /proc/self/mountinfo (proc(5)): mount point and options are the fifth and sixth word.
Mounts read_mounts(const fs::path& path) {
  Mounts mounts;
  std::ifstream in(path);
  bool any = false;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string ignored;
    std::string point;
    std::string options;
    words >> ignored >> ignored >> ignored >> ignored >> point >> options;
    any = true;
    if (point == "/") mounts.root = true;
    const bool read_only = options == "ro" || options.rfind("ro,", 0) == 0;
    if (point == "/proc/sys") mounts.proc_sys_read_only = read_only;
    // Mount points that the kernel made for that purpose hide nothing.
    const bool hides_proc = point.rfind("/proc/", 0) == 0 && point != "/proc/sys/fs/binfmt_misc";
    const bool hides_sys = (point == "/sys" && read_only) || point.rfind("/sys/firmware", 0) == 0 ||
                           point.rfind("/sys/devices/", 0) == 0;
    if (hides_proc || hides_sys) mounts.masks.push_back(point);
  }
  if (!any) mounts.root = true;
  return mounts;
}

std::string foreign_kernel(const fs::path& root) {
  const std::string version = first_line(root / "proc/version");
  // gVisor's kernel tells this constant (https://gvisor.dev/docs/user_guide/compatibility/).
  if (version.rfind("Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016", 0) == 0) {
    return "gVisor";
  }
  // WSL 1 writes Microsoft with a capital letter, WSL 2's kernel does not.
  if (version.find("-Microsoft") != std::string::npos) return "WSL 1";
  return "";
}

std::map<std::string, long> read_limits(const fs::path& root) {
  std::map<std::string, long> limits;
  for (const char* name : {"user_namespaces", "mnt_namespaces", "net_namespaces", "pid_namespaces",
                           "ipc_namespaces", "uts_namespaces"}) {
    const std::string limit = first_line(root / "proc/sys/user" / ("max_" + std::string(name)));
    if (!limit.empty()) limits[name] = std::strtol(limit.c_str(), nullptr, 10);
  }
  return limits;
}

Place find_place(const fs::path& root, bool& container) {
  const bool podman = fs::exists(root / "run/.containerenv");
  const bool docker = fs::exists(root / ".dockerenv");
  const bool kubernetes = is_set("KUBERNETES_SERVICE_HOST");
  container = podman || docker || kubernetes;
  if (is_set("GITHUB_ACTIONS")) return Place::kGithub;
  if (kubernetes) return Place::kKubernetes;
  if (is_set("GITLAB_CI")) return Place::kGitlab;
  if (podman) return Place::kPodman;
  if (docker) return Place::kDocker;
  if (first_line(root / "proc/version").find("icrosoft") != std::string::npos) return Place::kWsl;
  return Place::kHost;
}

}  // namespace

std::string place_name(Place place) {
  switch (place) {
    case Place::kHost:
      return "this machine";
    case Place::kGithub:
      return "GitHub Actions";
    case Place::kGitlab:
      return "GitLab CI";
    case Place::kDocker:
      return "Docker";
    case Place::kPodman:
      return "Podman";
    case Place::kKubernetes:
      return "Kubernetes";
    case Place::kWsl:
      return "WSL";
  }
  return "";
}

bool Machine::confined_by_apparmor() const {
  return apparmor && !security_context.empty() && security_context != "unconfined";
}

std::uint64_t effective_capabilities() noexcept {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {};
  if (::syscall(SYS_capget, &header, sets) != 0) return 0;
  return static_cast<std::uint64_t>(sets[1].effective) << 32U | sets[0].effective;
}

Standing read_standing() { return {::geteuid() == 0, effective_capabilities(), read_limits("/")}; }

Machine read_machine(const fs::path& root) {
  Machine machine;
  const fs::path self = root / "proc/self";
  machine.place = find_place(root, machine.container);
  machine.root = ::geteuid() == 0;
  machine.capabilities = effective_capabilities();
  machine.seccomp_filter = field(self / "status", "Seccomp") == "2";
  machine.ids_mapped = holds(self / "uid_map", ::geteuid()) && holds(self / "gid_map", ::getegid());
  machine.selinux_enforcing = first_line(root / "sys/fs/selinux/enforce") == "1";
  machine.apparmor = first_line(root / "sys/module/apparmor/parameters/enabled") == "Y";
  // `docker-default (enforce)`: the mode is no part of the name.
  const std::string context = first_line(self / "attr/current");
  machine.security_context =
      machine.selinux_enforcing ? context : context.substr(0, context.find(" ("));
  const fs::path kernel = root / "proc/sys/kernel";
  machine.apparmor_restricts_userns =
      first_line(kernel / "apparmor_restrict_unprivileged_userns") == "1";
  machine.unprivileged_userns_clone = first_line(kernel / "unprivileged_userns_clone") != "0";
  machine.namespace_limits = read_limits(root);
  Mounts mounts = read_mounts(self / "mountinfo");
  machine.root_is_mount_point = mounts.root;
  machine.sysctls_read_only = mounts.proc_sys_read_only;
  machine.masks = std::move(mounts.masks);
  machine.foreign_kernel = foreign_kernel(root);
  return machine;
}

}  // namespace isoenv
