// The program `isoenv`: where it is, and what it answers.
#pragma once

#include <string>
#include <vector>

namespace isoenv::inline client {

/// $ISOENV_EXECUTABLE, else the one that the library came with, else the one in $PATH. Throws
/// EnvironmentError, saying where it was looked for, when there is none.
std::string find_executable();

struct Outcome {
  int code = 0;  ///< 128 + n when signal n ended it
  std::string out;
  std::string error;  ///< without the line's end
};

/// Runs isoenv with these arguments and no input. May be called while there are other threads.
Outcome run_isoenv(const std::vector<std::string>& arguments);

}  // namespace isoenv::inline client
