// A command as a test: its session with the keeper, from the beginning to the verdict.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "env/incident.h"
#include "env/tolerance.h"
#include "harness/control.h"

namespace isoenv {

struct TestRun {
  std::vector<std::string> services;  ///< that the test uses; none: all
  std::vector<std::string> faults;    ///< as parse_fault() reads them
  Tolerance tolerance;                ///< failures of services that it means
  std::vector<std::string> command;
  std::string ctest_name;           ///< "" when it is not known
  std::filesystem::path spec_file;  ///< of the instance
  std::filesystem::path artefacts;  ///< of the instance
  std::string instance;             ///< its id
  bool ends_instance = false;       ///< nothing that its faults have left needs to be undone
};

/// Tells what services did that fails the test.
void tell_incidents(const std::vector<Incident>& incidents, bool command_passed);

/// Runs the command of a test inside the instance behind `client`, in a session of its own, and
/// tells on the standard error output what came of that. Returns the exit code: the command's, or,
/// when that is 0 and the session has failed, kEnvironmentFailed. A test that has failed leaves a
/// bundle (failure_bundle.h); one that was skipped, with kCannotRun, or interrupted has not.
/// `owner` as for run_inside().
int run_test(ControlClient& client, const Answer& joined, const TestRun& test, int owner = -1);

}  // namespace isoenv
