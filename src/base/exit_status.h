// How a process ended, independent of wait(2)'s encoding.
#pragma once

#include <string>

namespace isoenv {

struct ExitStatus {
  int code = 0;       ///< exit code, when signal == 0
  int signal = 0;     ///< signal that ended the process, or 0
  bool core = false;  ///< a core file was written

  /// From the status word of waitpid(2).
  static ExitStatus from_wait(int status) noexcept;

  bool success() const noexcept { return signal == 0 && code == 0; }
  /// What a shell reports: the code, or 128 + signal.
  int shell_code() const noexcept { return signal != 0 ? 128 + signal : code; }
  /// `exit code 3`, `killed by SIGSEGV (core dumped)`.
  std::string describe() const;

  bool operator==(const ExitStatus&) const = default;
};

/// `SIGTERM` for 15; `signal 99` when it has no name.
std::string signal_name(int signal);

/// The number for `SIGTERM`, `TERM` or `15`; 0 when there is no such signal.
int signal_number(const std::string& name) noexcept;

}  // namespace isoenv
