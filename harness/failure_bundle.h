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
#include <string>
#include <vector>

#include "env/incident.h"
#include "env/program_environment.h"
#include "harness/log_slices.h"
#include "harness/test_facts.h"

namespace isoenv {

struct SessionReport;

inline constexpr std::size_t kKeptBundles = 50;

/// How a test went that failed.
struct TestFailure {
  std::string what;                  ///< `exit code 3`, `killed by SIGSEGV`
  std::vector<std::string> reasons;  ///< besides that; of several lines, the first says it
  std::chrono::nanoseconds after{};  ///< since its beginning
  std::string plan;                  ///< JSON, as of `isoenv check --json`
  std::string services;              ///< as `isoenv ps` shows them, at the end of the test
  std::string instance;              ///< its id
};

/// A bundle that has been written.
struct Bundle {
  std::string test;
  std::string what;
  std::vector<std::string> reasons;
  std::filesystem::path folder;
  std::string repeat;  ///< the command that does
};

/// Why a session fails its test, a paragraph each; empty: it does not.
std::vector<std::string> reasons_of(const SessionReport& report);
std::vector<std::string> reasons_of(const std::vector<Incident>& incidents);

/// Writes the bundle beside the logs. Throws Error.
Bundle write_bundle(const TestFacts& facts, const LogSlices& logs, const TestFailure& failure);

/// Says on the standard error output where it is and, for CI systems in their form, what is in it.
void tell_bundle(const Bundle& bundle);

/// The environment as a bundle tells it: sorted `NAME=value` lines, with `***` for what a name in
/// `secrets`, or a name like API_TOKEN, calls a secret, and for those values elsewhere.
std::string environment_text(const Variables& variables, const std::vector<std::string>& secrets);

}  // namespace isoenv
