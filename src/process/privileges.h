// What a program gives up before it is executed: capabilities, and root for another account.
//
// Runs between fork and exec: system calls only, on the calling thread alone (the child of a
// vfork(2) shares its parent's memory, not its credentials). Nothing given up comes back: programs
// start with no_new_privs (launcher.h).
#pragma once

#include "process/account.h"

namespace isoenv {

/// Leaves the calling process, and those forked from it, a bounding set of what servers need under
/// uid 0, of nothing under another; what they can do themselves stays. False and errno when the
/// kernel refuses.
bool bound_capabilities() noexcept;

/// The same, and no inheritable and ambient capabilities: what a program executed next can have is
/// within the bounding set.
bool drop_capabilities() noexcept;

/// What is executed next keeps, of what the caller has, the capabilities to trace processes, to see
/// packets and to change the network (as ambient ones, capabilities(7)); nothing when it has none.
void keep_debugging_capabilities() noexcept;

/// What is executed next keeps every capability that the caller has: to a user namespace of its own
/// that is not root's, exec is the end of them. False where it would not.
bool keep_all_capabilities() noexcept;

/// Becomes the account for good, with no capability at all. False and errno when the kernel
/// refuses: the process must not go on then.
bool become_account(const Account& account) noexcept;

}  // namespace isoenv
