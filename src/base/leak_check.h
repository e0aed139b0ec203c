// The end of a process that does not end by exit(3), as a leak detector wants it told.
//
// In a build with AddressSanitizer, memory that nothing refers to is looked for when a process
// calls exit(3); one that was forked ends by _exit(2) and has to ask. In any other build this does
// nothing.
#pragma once

namespace isoenv {

/// Reports memory that nothing refers to any more, and ends the process when there is some.
void check_for_leaks() noexcept;

}  // namespace isoenv
