// What goes wrong between a test and its environment, as one exception type.
#pragma once

#include <stdexcept>
#include <string>

namespace isoenv {
inline namespace client {

/// what() is the message, then the hint, if any, on a line of its own. GoogleTest shows it as the
/// test's failure when nobody catches it.
class EnvironmentError : public std::runtime_error {
 public:
  explicit EnvironmentError(const std::string& message, const std::string& hint = "",
                            bool cannot_run = false)
      : std::runtime_error(hint.empty() ? message : message + "\n  hint: " + hint),
        cannot_run_(cannot_run) {}

  /// This machine does not grant the isolation that was asked for: a reason to skip, not to fail.
  bool cannot_run() const noexcept { return cannot_run_; }

 private:
  bool cannot_run_;
};

}  // namespace client
}  // namespace isoenv
