// What the machine says of itself that decides over namespaces: limits, security modules, masks,
// the container engine and the CI around us.
//
// Reads /proc and the environment of the calling process and nothing else; tries nothing, changes
// nothing. What cannot be read is as if it were not there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace isoenv {

/// Where remedies differ.
enum class Place {
  kHost,  ///< no container that we know of: a laptop, a virtual machine
  kGithub,
  kGitlab,
  kDocker,
  kPodman,
  kKubernetes,
  kWsl,
};

/// `GitHub Actions`, …
std::string place_name(Place place);

struct Machine {
  Place place = Place::kHost;
  bool container = false;
  bool root = false;                ///< effective user id 0
  std::uint64_t capabilities = 0;   ///< effective, a bit each (capabilities(7))
  bool seccomp_filter = false;      ///< some filter is active
  bool ids_mapped = true;           ///< the user namespace around knows the user id
  bool root_is_mount_point = true;  ///< false: in a chroot for certain
  std::string security_context;     ///< AppArmor's profile or SELinux's context, without mode
  bool apparmor = false;
  bool selinux_enforcing = false;
  bool apparmor_restricts_userns = false;        ///< Ubuntu's sysctl
  bool unprivileged_userns_clone = true;         ///< Debian's sysctl
  bool sysctls_read_only = false;                ///< /proc/sys
  std::map<std::string, long> namespace_limits;  ///< user.max_<name>: `net_namespaces` → 96365
  std::vector<std::string> masks;                ///< mount points that hide parts of /proc and /sys
  std::string foreign_kernel;                    ///< `gVisor`, `WSL 1`; "" = Linux

  bool has(unsigned capability) const { return (capabilities >> capability & 1U) != 0; }
  /// Confined by an AppArmor profile that is not `unconfined`.
  bool confined_by_apparmor() const;
};

/// Of the calling process. `root` stands for `/`, for tests.
Machine read_machine(const std::filesystem::path& root = "/");

/// What a process cannot see of itself any more once it is in a new user namespace.
struct Standing {
  bool root = false;
  std::uint64_t capabilities = 0;
  std::map<std::string, long> namespace_limits;
};
Standing read_standing();

/// The effective capabilities of the calling process alone; never fails.
std::uint64_t effective_capabilities() noexcept;

}  // namespace isoenv
