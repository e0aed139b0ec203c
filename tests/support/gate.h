// A FIFO that holds the behaviour `waits_for` of a test_service until the test lets it go on: an
// order of events instead of sleeping. Works across namespaces, as the file system is shared.
#pragma once

#include <filesystem>

#include "base/unique_fd.h"

namespace isoenv::test {

class Gate {
 public:
  /// Makes the FIFO.
  explicit Gate(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }
  std::string text() const { return path_.string(); }
  /// Returns when a program waits at the gate; false when none came for kPatience.
  [[nodiscard]] bool wait_until_reached();
  /// Waits until a program is there and lets it go on.
  [[nodiscard]] bool open();

 private:
  std::filesystem::path path_;
  UniqueFd writer_;
};

}  // namespace isoenv::test
