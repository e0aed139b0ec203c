// Why the machine refused something that isolation needs: the step, the errno, the cause.
//
// A cause is found, not guessed: by what the machine says of itself (machine.h) and by calls that
// change nothing and are answered differently by a filter and by the kernel. When several could be
// meant and none is proved, the cause is unknown and says so.
#pragma once

#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "netns/machine.h"

namespace isoenv {

/// What was being tried.
enum class Attempt {
  kUserNamespace,  ///< unshare(CLONE_NEWUSER)
  kIdMap,          ///< writing the maps of the new user namespace
  kNamespaces,     ///< the other namespaces of an instance
  kMount,          ///< any mount but the next
  kFreshMount,     ///< /proc or /sys of the own namespaces
  kSysctl,         ///< net.* of the own network namespace
  kNetwork,        ///< rtnetlink: links and addresses
  kProcess,        ///< clone(2) of a sandbox
  kFork,           ///< a process in the same namespaces
  kJoin,           ///< setns(2)
  kOther,
};

struct Cause {
  enum class Kind {
    kUnknown,
    kForeignKernel,    ///< subject: its name
    kSeccomp,          ///< subject: the system call
    kAppArmorUserns,   ///< Ubuntu's restriction of unprivileged user namespaces
    kAppArmorProfile,  ///< subject: the profile
    kSelinux,          ///< subject: the context
    kUsernsClone,      ///< Debian's sysctl
    kNamespaceLimit,   ///< subject: the sysctl
    kProcessLimit,
    kChroot,
    kUnmappedIds,
    kMissingCapability,  ///< subject: the capability
    kMasked,             ///< subject: what hides parts of /proc or /sys
    kReadOnlySysctls,
    kMissingModule,  ///< subject: the kernel's module
  };
  Kind kind = Kind::kUnknown;
  std::string subject;

  bool operator==(const Cause&) const = default;
};

/// `seccomp`, …: for programs.
std::string cause_name(Cause::Kind kind);
/// One sentence without a full stop; "" when unknown.
std::string cause_text(const Cause& cause);

struct Refusal {
  std::string step;  ///< `create a user namespace`
  Attempt attempt = Attempt::kOther;
  int error_number = 0;
  Cause cause;
};

/// What trying again, in ways that can do no harm, has shown.
struct Evidence {
  std::string filtered_call;           ///< a filter and not the kernel answers it; "" = none
  std::vector<std::string> exhausted;  ///< kinds of namespaces that give ENOSPC alone
};

/// The cause as far as these prove it. Pure. `machine` is that from before the attempt.
Cause find_cause(Attempt attempt, const std::string& step, int error_number, const Machine& machine,
                 const Evidence& evidence);

/// The same in the very process that was refused, of which nothing is changed. `before`:
/// read_standing() from before the attempt.
Refusal explain(std::string step, Attempt attempt, int error_number, const Standing& before);

/// The error that ends `up` and `run`: code kCannotRun, with the cause as its hint.
class Refused : public SystemError {
 public:
  Refused(Refusal refusal, const Machine& machine);

  const Refusal& refusal() const noexcept { return refusal_; }

 private:
  Refusal refusal_;
};

/// True when a filter answers setns(2) to all namespaces of an instance: one call, which changes
/// nothing.
bool joining_is_filtered();

/// Throws Refused; for a shortage of memory, descriptors or processes, which passes, a SystemError
/// that is no reason to skip (code kEnvironmentFailed).
[[noreturn]] void throw_refusal(const Refusal& refusal);
/// The same for errno, in the process that was refused.
[[noreturn]] void refuse(const std::string& step, Attempt attempt);

/// Runs `body`; what a SystemError that leaves it tells becomes a refusal. In the process that is
/// refused.
template <typename Body>
decltype(auto) or_refuse(Attempt attempt, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (const Refused&) {
    throw;
  } catch (const SystemError& error) {
    if (!error.hint().empty()) throw;  // it knows better
    errno = error.error_number();
    refuse(error.operation(), attempt);
  }
}

}  // namespace isoenv
