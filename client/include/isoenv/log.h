// A place in the log of one service, from which a test reads on.
//
// Sees whole lines of the service's standard output and error output, as IsoEnv has written them to
// the service's log; what the service has just printed may take a moment to get there. Follows the
// log when it begins anew at its limit. Changes nothing. Not for two threads at once; movable;
// stays usable, for what is written already, when the instance and its Environment are gone.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace isoenv {
inline namespace client {

class Log {
 public:
  struct State;

  explicit Log(std::unique_ptr<State> state);
  ~Log();
  Log(Log&&) noexcept;
  Log& operator=(Log&&) noexcept;

  /// The lines since the place, without their ends; the place moves behind the last one.
  std::vector<std::string> lines();

  /// Waits until a line behind the place matches `regex` (ECMAScript, anywhere in its first 4 KiB),
  /// returns it and moves behind it. Throws EnvironmentError when `patience` is over, with the last
  /// lines seen, or when the instance has ended; then the place stays. Throws std::regex_error for
  /// what is no regular expression.
  std::string wait_for(const std::string& regex,
                       std::chrono::milliseconds patience = std::chrono::seconds(10));

 private:
  std::unique_ptr<State> state_;
};

}  // namespace client
}  // namespace isoenv
