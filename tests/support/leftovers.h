// What a test could leave behind on the machine, seen from outside every namespace.
//
// HostState is what the host itself shows: interfaces, routes, rules, named namespaces, mounts,
// cgroups named after isoenv, the name-service files. IsoEnv must change none of it, so before and
// after are compared both ways. Processes are found by descent: the test runs below a child
// subreaper (system_main.cc), so whatever daemonised itself, in whatever namespace, is still its
// descendant. A namespace that no process lives in is not looked for: the kernel frees it in its
// own time (network_namespaces(7)).
#pragma once

#include <sys/types.h>

#include <set>
#include <string>
#include <vector>

namespace isoenv::test {

class HostState {
 public:
  static HostState now();
  /// One line for each thing that is in one of the states only.
  std::vector<std::string> differences_to(const HostState& later) const;

 private:
  std::set<std::string> facts_;
};

struct LivingProcess {
  pid_t pid = 0;
  pid_t parent = 0;
  std::string name;  ///< comm of proc(5)
  std::string command_line;
};

/// The names of unix sockets of the caller's network namespace that hold `text`, proc_net(5).
std::vector<std::string> unix_sockets_with(const std::string& text);

/// Every process of the machine below `ancestor` but zombies.
std::vector<LivingProcess> descendants_of(pid_t ancestor);

}  // namespace isoenv::test
