#include "netns/remedy.h"

#include <algorithm>
#include <string_view>

namespace isoenv {
namespace {

using Kind = Cause::Kind;

std::vector<Remedy> everywhere(std::initializer_list<Place> places, const std::string& text,
                               const std::string& note) {
  std::vector<Remedy> remedies;
  for (const Place place : places) remedies.push_back({place, text, note});
  return remedies;
}

/// A sysctl belongs to the kernel, and so to the host of a container.
std::vector<Remedy> sysctl(const std::string& setting, const std::string& note) {
  const std::string command = "sudo sysctl -w " + setting;
  std::vector<Remedy> all = {
      {Place::kHost, command, note},
      {Place::kGithub, "- run: " + command, "a step before the tests"},
      {Place::kWsl, command, note},
  };
  const std::vector<Remedy> containers =
      everywhere({Place::kGitlab, Place::kDocker, Place::kPodman}, command,
                 "on the host that runs the containers");
  all.insert(all.end(), containers.begin(), containers.end());
  all.push_back({Place::kKubernetes, command, "on the node"});
  return all;
}

std::vector<Remedy> of_seccomp() {
  return {
      {Place::kDocker,
       "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined IMAGE",
       "gives no capability; Docker's own profile plus unshare, clone, mount and setns gives "
       "still less"},
      {Place::kDocker, "docker run --cap-add SYS_ADMIN --security-opt apparmor=unconfined IMAGE",
       "for root in the container, which can then do more to the host"},
      {Place::kGitlab,
       "[runners.docker]\n"
       "  security_opt = [\"seccomp:unconfined\", \"apparmor:unconfined\"]",
       "in the runner's config.toml"},
      {Place::kGithub,
       "container:\n"
       "  image: IMAGE\n"
       "  options: --security-opt seccomp=unconfined --security-opt apparmor=unconfined",
       "or without `container:`, on the runner itself"},
      {Place::kKubernetes,
       "spec:\n"
       "  hostUsers: false\n"
       "  containers:\n"
       "  - securityContext:\n"
       "      capabilities: {add: [SYS_ADMIN]}\n"
       "      appArmorProfile: {type: Unconfined}",
       "Kubernetes 1.33 and later: the capability holds in the pod's own user namespace alone"},
      {Place::kKubernetes,
       "securityContext:\n"
       "  seccompProfile: {type: Unconfined}\n"
       "  appArmorProfile: {type: Unconfined}",
       "gives no capability; for an ordinary user in the container"},
      {Place::kPodman, "podman run --security-opt seccomp=unconfined IMAGE",
       "Podman's own profile allows user namespaces"},
      {Place::kHost, "RestrictNamespaces=no",
       "in the [Service] section of the systemd unit that this runs in"},
  };
}

std::vector<Remedy> of_apparmor_userns() {
  std::vector<Remedy> all = {
      {Place::kHost,
       std::string("isoenv doctor --apparmor-profile | sudo tee ") + kAppArmorProfileFile +
           " && sudo apparmor_parser -r " + kAppArmorProfileFile,
       "for this isoenv alone"},
  };
  std::vector<Remedy> rest = sysctl("kernel.apparmor_restrict_unprivileged_userns=0",
                                    "for every program, until the next boot");
  all.insert(all.end(), rest.begin(), rest.end());
  return all;
}

std::vector<Remedy> of_apparmor_profile(const std::string& profile) {
  return {
      {Place::kDocker, "docker run --security-opt apparmor=unconfined IMAGE", ""},
      {Place::kPodman, "podman run --security-opt apparmor=unconfined IMAGE", ""},
      {Place::kGitlab, "[runners.docker]\n  security_opt = [\"apparmor:unconfined\"]",
       "in the runner's config.toml"},
      {Place::kGithub, "container:\n  image: IMAGE\n  options: --security-opt apparmor=unconfined",
       "or without `container:`, on the runner itself"},
      {Place::kKubernetes, "securityContext:\n  appArmorProfile: {type: Unconfined}",
       "Kubernetes 1.30 and later"},
      {Place::kHost, "sudo aa-complain '" + profile + "'",
       "the profile then reports and forbids nothing; or add `userns,`, `mount,` and "
       "`capability,` to it"},
  };
}

std::vector<Remedy> of_selinux() {
  return {
      {Place::kDocker, "docker run --security-opt label=disable IMAGE", ""},
      {Place::kPodman, "podman run --security-opt label=disable IMAGE", ""},
      {Place::kGitlab, "[runners.docker]\n  security_opt = [\"label:disable\"]",
       "in the runner's config.toml"},
      {Place::kKubernetes, "securityContext:\n  seLinuxOptions: {type: spc_t}", ""},
      {Place::kHost, "sudo ausearch -m avc -ts recent", "shows the rule that is missing"},
  };
}

std::vector<Remedy> of_missing_capability(const std::string& name) {
  return {
      {Place::kDocker, "docker run --cap-add " + name + " IMAGE", ""},
      {Place::kPodman, "podman run --cap-add " + name + " IMAGE", ""},
      {Place::kGitlab, "[runners.docker]\n  cap_add = [\"" + name + "\"]",
       "in the runner's config.toml"},
      {Place::kGithub, "container:\n  image: IMAGE\n  options: --cap-add " + name, ""},
      {Place::kKubernetes, "securityContext:\n  capabilities: {add: [" + name + "]}", ""},
      {Place::kHost, "run isoenv as an ordinary user", ""},
  };
}

std::vector<Remedy> of_masks() {
  return {
      {Place::kDocker, "docker run --security-opt systempaths=unconfined IMAGE", ""},
      {Place::kPodman, "podman run --security-opt unmask=ALL IMAGE", ""},
      {Place::kGithub,
       "container:\n  image: IMAGE\n  options: --security-opt systempaths=unconfined", ""},
      {Place::kKubernetes,
       "spec:\n  hostUsers: false\n  containers:\n  - securityContext:\n      procMount: Unmasked",
       "Kubernetes 1.33 and later"},
  };
}

std::vector<Remedy> of_process_limit() {
  return {
      {Place::kHost, "ulimit -u 4096", "or a higher `nproc` in /etc/security/limits.conf"},
      {Place::kDocker, "docker run --pids-limit 4096 --ulimit nproc=4096 IMAGE", ""},
      {Place::kPodman, "podman run --pids-limit 4096 --ulimit nproc=4096 IMAGE", ""},
      {Place::kGithub, "container:\n  image: IMAGE\n  options: --pids-limit 4096", ""},
      {Place::kKubernetes, "podPidsLimit: 4096", "in the kubelet's configuration"},
  };
}

std::vector<Remedy> of_module(const std::string& name) {
  if (name == "user namespaces") {
    return {{Place::kHost, "run isoenv as root", "or a kernel built with CONFIG_USER_NS"}};
  }
  const std::string command = "sudo modprobe " + name;
  std::vector<Remedy> all = {
      {Place::kHost, command, "`" + name + "` in /etc/modules-load.d/ loads it at every boot"},
      {Place::kGithub, "- run: " + command, "a step before the tests"},
      {Place::kWsl, command, ""},
      {Place::kKubernetes, command, "on the node"},
  };
  const std::vector<Remedy> containers =
      everywhere({Place::kGitlab, Place::kDocker, Place::kPodman}, command,
                 "on the host that runs the containers");
  all.insert(all.end(), containers.begin(), containers.end());
  return all;
}

std::vector<Remedy> of_kernel(const std::string& name) {
  if (name == "gVisor") {
    return {{Place::kKubernetes, "runtimeClassName: RUNTIME", "one that is not gVisor's"},
            {Place::kDocker, "docker run --runtime runc IMAGE", ""}};
  }
  return {{Place::kWsl, "wsl --set-version DISTRIBUTION 2", "in Windows"}};
}

std::vector<Remedy> of_chroot() {
  return {
      {Place::kHost, "bwrap --dev-bind DIRECTORY / COMMAND",
       "enters DIRECTORY by pivot_root(2) and not by chroot(2)"},
      {Place::kHost, "systemd-nspawn --directory DIRECTORY COMMAND", "as root"},
  };
}

std::vector<Remedy> unsorted(const Cause& cause) {
  switch (cause.kind) {
    case Kind::kUnknown:
      return {};
    case Kind::kForeignKernel:
      return of_kernel(cause.subject);
    case Kind::kSeccomp:
      return of_seccomp();
    case Kind::kAppArmorUserns:
      return of_apparmor_userns();
    case Kind::kAppArmorProfile:
      return of_apparmor_profile(cause.subject);
    case Kind::kSelinux:
      return of_selinux();
    case Kind::kUsernsClone:
      return sysctl("kernel.unprivileged_userns_clone=1", "until the next boot");
    case Kind::kNamespaceLimit:
      return sysctl(cause.subject.substr(0, cause.subject.find('=')) + "=65536",
                    "until the next boot");
    case Kind::kProcessLimit:
      return of_process_limit();
    case Kind::kChroot:
      return of_chroot();
    case Kind::kUnmappedIds:
      return {{Place::kPodman, "podman run --user UID IMAGE", "a UID that /etc/subuid covers"},
              {Place::kDocker, "docker run --user UID IMAGE", "a UID that the mapping covers"}};
    case Kind::kMissingCapability:
      return of_missing_capability(cause.subject);
    case Kind::kMasked:
      // /sys stays read-only in a container whatever is unmasked.
      if (cause.subject.rfind("/sys", 0) == 0) return {};
      return of_masks();
    case Kind::kReadOnlySysctls:
      return of_masks();
    case Kind::kMissingModule:
      return of_module(cause.subject);
  }
  return {};
}

}  // namespace

std::string Remedy::line() const {
  std::string text_on_line;
  bool indent = false;
  for (const char letter : text) {
    if (letter == '\n') {
      indent = true;
      text_on_line += ' ';
    } else if (letter != ' ' || !indent) {
      indent = false;
      text_on_line += letter;
    }
  }
  return text_on_line;
}

std::vector<Remedy> remedies(const Cause& cause, const Machine& machine) {
  std::vector<Remedy> all = unsorted(cause);
  std::stable_partition(all.begin(), all.end(),
                        [&](const Remedy& remedy) { return remedy.place == machine.place; });
  return all;
}

std::string apparmor_profile(const std::string& executable) {
  std::string quoted;
  for (const char letter : executable) {
    // Characters of a pattern (apparmor.d(5)), and those of a quoted word.
    if (std::string_view("\"\\*?[]{}^").find(letter) != std::string_view::npos) quoted += '\\';
    quoted += letter;
  }
  return "# Lets isoenv use user namespaces; confines nothing. Written by\n"
         "# 'isoenv doctor --apparmor-profile', to be loaded with\n"
         "#   sudo apparmor_parser -r " +
         std::string(kAppArmorProfileFile) +
         "\n"
         "abi <abi/4.0>,\n"
         "include <tunables/global>\n"
         "\n"
         "profile isoenv \"" +
         quoted +
         "\" flags=(unconfined) {\n"
         "  userns,\n"
         "\n"
         "  include if exists <local/isoenv>\n"
         "}\n";
}

}  // namespace isoenv
