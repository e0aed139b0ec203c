// Runs a program for a test and tells everything about its end.
//
// No shell: argv arrays only. The child gets default signal dispositions and the descriptors 0, 1
// and 2 and those of `inherited_fds`, nothing else. A Process that is dropped is killed and reaped.
// Single-threaded use; waits are for events, with a deadline that only bounds a broken run.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace isoenv::test {

constexpr std::chrono::seconds kPatience{60};

struct Outcome {
  int exit_code = -1;      ///< when signal == 0
  int signal = 0;          ///< that ended the process
  bool timed_out = false;  ///< it did not end in time and was killed
  bool output_left_open =
      false;  ///< it ended, but another process still holds its stdout or stderr
  std::string out;
  std::string err;

  bool exited_with(int code) const {
    return !timed_out && !output_left_open && signal == 0 && exit_code == code;
  }
};

/// All of it, for the message of an assertion.
std::ostream& operator<<(std::ostream& stream, const Outcome& outcome);

struct ProcessOptions {
  std::map<std::string, std::string> env;  ///< added to the environment of the test
  std::vector<std::string> unset;          ///< variables of the test that the child does not get
  std::filesystem::path directory;         ///< "" = that of the test
  std::vector<int> inherited_fds;          ///< kept open at the same numbers
  bool new_session = false;                ///< setsid(2)
};

class Process {
 public:
  /// Starts argv[0], looked up in the PATH of `options.env`, or else of the test.
  explicit Process(const std::vector<std::string>& argv, const ProcessOptions& options = {});
  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;
  ~Process();

  pid_t pid() const { return pid_; }
  void send_signal(int signal) const;
  /// Written as the process reads it: now, and while this is waited for.
  void write_stdin(const std::string& text);
  /// True when the process has ended; never waits.
  [[nodiscard]] bool ended();

  /// Reads until stdout holds `text`; false when it ended before, or nothing came for kPatience.
  [[nodiscard]] bool wait_for_output(const std::string& text);
  const std::string& output_so_far() const { return outcome_.out; }

  /// Until the process has ended and both its pipes are closed. Closes stdin once all is written.
  Outcome wait(std::chrono::milliseconds patience = kPatience);

 private:
  bool read_once(std::chrono::milliseconds patience);
  void read_available(UniqueFd& pipe, std::string& text);
  void write_pending();
  void reap();

  pid_t pid_ = -1;
  UniqueFd pidfd_;
  UniqueFd stdin_;
  std::string pending_input_;
  UniqueFd stdout_;
  UniqueFd stderr_;
  Outcome outcome_;
};

/// Starts, feeds `input`, waits.
Outcome run(const std::vector<std::string>& argv, const ProcessOptions& options = {},
            const std::string& input = {});

}  // namespace isoenv::test
