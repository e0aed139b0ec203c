// The namespaces of a whole instance: entered by a fresh process, or joined by one that comes
// later.
//
// Nothing is tried in the caller's own process that could not be undone: what enters or joins is
// for single-threaded processes that were forked for the purpose (user_namespaces(7), setns(2)).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "netns/refusal.h"

namespace isoenv {

/// What this machine grants.
enum class Rung {
  kUserns,  ///< unprivileged: a user namespace with the caller's own ids mapped to themselves
  kRoot,    ///< CAP_SYS_ADMIN: no user namespace needed
  kPorts,   ///< no namespaces: services share the host's network and processes
};

/// `userns`, `root`, `ports`.
std::string rung_name(Rung rung);

/// True on every rung that has a name but `ports`; also for "", before one is reached.
bool has_namespaces(const std::string& rung);

/// True when the calling process may make namespaces and links without a user namespace.
bool needs_no_user_namespace();

/// Moves the calling process into new user (when not privileged), network, IPC and UTS namespaces,
/// and its future children into a new PID namespace. It still sees the host's mounts. Throws Error
/// with code kCannotRun, naming the step, the errno and the cause, when the machine refuses; the
/// process is then of no further use.
Rung enter_new_namespaces();
/// The same with the refusal as a value.
std::variant<Rung, Refusal> try_enter_new_namespaces();

/// Moves the calling process, after enter_new_namespaces(), into a new mount namespace. Mounts no
/// longer propagate to the host. Throws like it.
void enter_own_mounts();

/// After that: a /dev/shm that has the host's folders and nothing else, and the message queues of
/// the own IPC namespace. Throws like it.
void mount_own_shared_memory();

/// The same namespaces for a child alone, while the caller stays where it is.
struct Seclusion {
  std::uint64_t flags = 0;       ///< to clone the child with (clone(2))
  std::function<void()> settle;  ///< the child's first step; throws SystemError
};
/// What there is to try, the best first, for a child of the calling process.
std::vector<Seclusion> seclusions();

/// Joins the user, mount, network, IPC and UTS namespaces of the process behind `pidfd`, and its
/// PID namespace for future children (setns(2) on a pidfd, Linux 5.8). Throws SystemError,
/// with code kCannotRun when the machine refuses and not the process is gone.
void join_namespaces(int pidfd);

}  // namespace isoenv
