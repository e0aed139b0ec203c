// Errors that end what was being done, and how they are told to people.
//
// Error is a message that is ready for the user, with the exit code it deserves and an optional
// hint; SystemError is the machine's no: errno, the operation, and the thing it was about. Both
// carry "while ..." frames that callers add on the way up. Only harness/main.cc renders them.
// Expected outcomes (exited, not ready in time, a cycle) are values, never these exceptions.
#pragma once

#include <cerrno>
#include <exception>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace isoenv {

/// The exit codes of the `isoenv` command.
enum class ExitCode : int {
  kOk = 0,
  kEnvironmentFailed = 1,  ///< a service failed or did not become ready
  kUsage = 2,              ///< wrong command line or bad spec
  kCannotRun = 77,         ///< this machine does not grant the isolation (CTest's SKIP_RETURN_CODE)
  kOwnFailure = 125,       ///< `run` and `exec` only: IsoEnv itself failed, not the command
};

class Error : public std::exception {
 public:
  explicit Error(std::string message, ExitCode code = ExitCode::kEnvironmentFailed,
                 std::string hint = {})
      : message_(std::move(message)), hint_(std::move(hint)), code_(code) {}

  const char* what() const noexcept override { return message_.c_str(); }
  const std::string& hint() const noexcept { return hint_; }
  ExitCode code() const noexcept { return code_; }
  const std::vector<std::string>& frames() const noexcept { return frames_; }

  /// Adds what the caller was doing: `while <frame>`. Innermost first.
  void add_frame(std::string frame) { frames_.push_back(std::move(frame)); }

 private:
  std::string message_;
  std::string hint_;
  ExitCode code_;
  std::vector<std::string> frames_;
};

/// The kernel refused `operation` on `subject`. Read errno before anything else can change it.
/// Without a hint it gets the one that helps with this errno whatever the operation was, if any.
class SystemError : public Error {
 public:
  SystemError(int error_number, std::string operation, std::string subject = {},
              ExitCode code = ExitCode::kEnvironmentFailed, std::string hint = {});

  int error_number() const noexcept { return error_number_; }
  const std::string& operation() const noexcept { return operation_; }

 private:
  int error_number_;
  std::string operation_;
};

/// Throws SystemError with the current errno.
[[noreturn]] void throw_errno(std::string operation, std::string subject = {});

/// What any exception has to say, for people: also those of libraries, with errno in our words.
Error told(const std::exception& exception);

/// The message, what was being done, and the hint: `cannot mount …, while …; …`.
std::string in_one_line(const Error& error);

/// The name of an errno value and its text: `EPERM (Operation not permitted)`.
std::string errno_text(int error_number);

/// Runs `body`; an Error that leaves it gains the frame `while <frame>`.
template <typename Body>
decltype(auto) with_frame(const std::string& frame, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (Error& error) {
    error.add_frame(frame);
    throw;
  }
}

}  // namespace isoenv
