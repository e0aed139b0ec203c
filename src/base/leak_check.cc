#include "base/leak_check.h"

#ifdef __SANITIZE_ADDRESS__

#include <sanitizer/lsan_interface.h>
#include <sys/stat.h>

namespace {

/// The search is done by a task that the process clones and that stops it by ptrace(2): impossible
/// once its children are born into another PID namespace (unshare(2), setns(2)), where they cannot
/// name it.
bool children_see_us() noexcept {
  struct stat own {};
  struct stat of_children {};
  return ::stat("/proc/self/ns/pid", &own) == 0 &&
         ::stat("/proc/self/ns/pid_for_children", &of_children) == 0 &&
         own.st_ino == of_children.st_ino;
}

}  // namespace

extern "C" int __lsan_is_turned_off() { return children_see_us() ? 0 : 1; }

void isoenv::check_for_leaks() noexcept { __lsan_do_leak_check(); }

#else

void isoenv::check_for_leaks() noexcept {}

#endif
