// What a failed test leaves for those who did not see it: one directory that tells what the
// services did while it ran.
//
// <artefacts>/failed_tests/<date>-<time>-<test>/, with a README.txt that says what the rest is. A
// test that passes costs the marks of the logs and nothing else. An instance keeps the newest
// kKeptBundles; all go with its artefacts. Secrets are in none of it.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/exit_status.h"
#include "env/program_environment.h"
#include "harness/log_slices.h"
#include "harness/repeat_command.h"

namespace isoenv {

inline constexpr std::size_t kKeptBundles = 50;

/// What is known of a test before it runs. Made where the caller's directory still is its own.
class TestWitness {
 public:
  /// `name`: of the test, for people.
  TestWitness(std::string name, std::filesystem::path artefacts, RepeatedTest test);

  const std::string& name() const noexcept { return name_; }

  /// How it went, when it failed.
  struct Failure {
    ExitStatus status;
    std::vector<std::string> reasons;  ///< besides the exit status
    std::string plan;                  ///< JSON, as of `isoenv check --json`
    std::string services;              ///< as `isoenv ps` shows them, at the end of the test
    std::string instance;              ///< its id
    Variables variables;               ///< that the instance gave the test
  };

  /// Writes the bundle, and tells of it on the standard error output: for CI systems in their form.
  /// That it cannot be written is a warning there and no failure.
  void tell(const Failure& failure);

 private:
  std::filesystem::path write(const Failure& failure, const std::string& timeline,
                              const std::string& repeat);

  std::string name_;
  std::filesystem::path artefacts_;
  RepeatedTest test_;
  LogSlices logs_;
  std::chrono::steady_clock::time_point begin_;
};

/// The environment as a bundle tells it: sorted `NAME=value` lines, with `***` for what a name in
/// `secrets`, or a name like API_TOKEN, calls a secret, and for those values elsewhere.
std::string environment_text(const Variables& variables, const std::vector<std::string>& secrets);

}  // namespace isoenv
