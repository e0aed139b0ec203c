// What probe commands write: a file in memory of bounded size, of which the end is read.
//
// It cannot grow: a command that writes without end is refused (EPERM, memfd_create(2)) before it
// has eaten the machine's memory.
#pragma once

#include <string>

#include "base/unique_fd.h"

namespace isoenv {

class ProbeOutput {
 public:
  static constexpr long kMost = 16L << 20;

  /// Throws SystemError.
  ProbeOutput();

  /// The standard output of a command. To be inherited: all that inherit it share its offset.
  int fd() const noexcept { return *file_; }

  /// The next command writes from the beginning.
  void clear() noexcept;
  /// The last 2 KiB since clear(), without newlines at the end. `by_lines`: where that cuts, it
  /// begins with a line or is nothing, so that what has no newline is there whole or not at all.
  std::string last(bool by_lines) const;

 private:
  UniqueFd file_;
};

}  // namespace isoenv
