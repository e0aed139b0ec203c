// A command as a test: its session with the keeper, from the beginning to the verdict.
#pragma once

#include <string>
#include <vector>

#include "harness/control.h"

namespace isoenv {

struct TestRun {
  std::vector<std::string> services;  ///< that the test uses; none: all
  std::vector<std::string> faults;    ///< as parse_fault() reads them
  std::vector<std::string> command;
  bool ends_instance = false;  ///< nothing that its faults have left needs to be undone
};

/// Runs the command of a test inside the instance behind `client`, in a session of its own, and
/// tells on the standard error output what came of that. Returns the exit code: the command's, or,
/// when that is 0 and the session has failed, kEnvironmentFailed. `owner` as for run_inside().
int run_test(ControlClient& client, const Answer& joined, const TestRun& test, int owner = -1);

}  // namespace isoenv
