// What a test says it means of its services: failures that are no reason for it to fail.
//
// Counts for that test alone, while it runs and, when the instance is its own, at the instance's
// end. The words of a service of the same names (ServiceSpec) count for every test.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/exit_status.h"
#include "env/incident.h"
#include "plan/plan.h"

namespace isoenv {

/// An end of a service, by itself or when it is stopped, that the test means.
struct ExpectedExit {
  std::string service;
  ExitStatus status;
  std::string text;  ///< as written

  bool operator==(const ExpectedExit&) const = default;
};

struct Tolerance {
  std::vector<std::string> allow_failure;  ///< services nothing of which fails the test
  std::vector<ExpectedExit> expect_exit;

  bool empty() const noexcept { return allow_failure.empty() && expect_exit.empty(); }
  bool covers(const Incident& incident) const;
  /// What the other tolerates as well.
  void add(const Tolerance& other);
  /// The texts of `expect_exit`.
  std::vector<std::string> exit_texts() const;

  bool operator==(const Tolerance&) const = default;
};

/// Names of services, and ends such as `order:3` and `order:SIGKILL`. Throws Error (kUsage) that
/// tells all that make no sense.
Tolerance parse_tolerance(std::vector<std::string> allow_failure,
                          const std::vector<std::string>& expect_exit);

/// Throws Error (kUsage) that tells every service which a test that uses `used` (none: all) does
/// not use, directly or not.
void check_tolerance(const Tolerance& tolerance, const EnvironmentPlan& plan,
                     const std::vector<std::size_t>& used);

}  // namespace isoenv
