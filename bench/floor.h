// The kernel's floor: the same private network of services as an IsoEnv instance, made with raw
// system calls by a program that can do nothing else.
//
// One hub (PID 1 of a PID namespace, in a network namespace with the bridge; in a user namespace
// when not root), and for each service net, pid, mount, ipc and uts namespaces, a veth pair into
// the bridge, an IPv4 and an IPv6 address, its program executed and seen to listen. Everything lies
// inside the hub's namespaces: nothing appears on the host, and killing the hub ends it all. No
// spec, names, logs, mounts, probes, supervision or diagnosis: what those cost is IsoEnv's share.
//
// On request with what IsoEnv has: an init between hub and service, or macvlan interfaces instead
// of a bridge with veth pairs. What each alone costs, or saves.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace isoenv::bench {

/// What is PID 1 beside each service: the service, or an init that waits for it.
enum class Inits { kNone, kOnePerService };

/// What leads from the hub to each service: a veth pair into a bridge, or a macvlan interface on
/// one end of the hub's own veth pair.
enum class Links { kBridge, kMacvlan };

struct FloorKind {
  Inits inits = Inits::kNone;
  Links links = Links::kBridge;
};

class Floor {
 public:
  /// Returns when every link is operationally up and every service listens. Throws Error when the
  /// hub could not do it; the hub says why on stderr. The calling process must have one thread.
  /// `command` is what run() runs, [0] a path.
  Floor(int services, const std::filesystem::path& service_program, FloorKind kind = {},
        std::vector<std::string> command = {"/bin/true"});
  ~Floor();
  Floor(const Floor&) = delete;
  Floor& operator=(const Floor&) = delete;

  /// Where service `number` is reached from the hub.
  static std::string address_of(int number);

  /// Runs the command in the hub's namespaces and waits for it. Throws Error unless it exits with
  /// 0.
  void run();

  /// Kills the hub, and so every process of every namespace, and waits until they are gone. The
  /// kernel takes the empty network namespaces apart later, on its own.
  void down() noexcept;

 private:
  void await_report();

  pid_t hub_ = -1;
  UniqueFd control_;  ///< to the hub: a byte is an order, and its answer
};

}  // namespace isoenv::bench
