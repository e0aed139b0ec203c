// IsoEnv for GoogleTest: what the main() of isoenv::gtest does, for programs with one of their own.
//
// Header only, so that it is compiled with the GoogleTest of the program.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "isoenv/environment.h"
#include "isoenv/test_watch.h"

namespace isoenv {
inline namespace client {

/// Makes each test a session with the keeper, which undoes its faults at its end, and prints what
/// each service wrote during a failed one.
class GtestListener : public ::testing::EmptyTestEventListener {
 public:
  explicit GtestListener(Environment environment) : watch_(std::move(environment)) {}

 private:
  void OnTestStart(const ::testing::TestInfo& test) override {
    const bool alone = ::testing::UnitTest::GetInstance()->test_to_run_count() == 1;
    watch_.begin(std::string(test.test_suite_name()) + "." + test.name(), alone);
  }
  void OnTestEnd(const ::testing::TestInfo& test) override {
    const ::testing::TestResult& result = *test.result();
    const char* word = result.Failed() ? "failed" : result.Skipped() ? "skipped" : "passed";
    const TestEnd end = watch_.end(word, result.Failed());
    if (!end.problems.empty()) ADD_FAILURE() << "isoenv: " << end.problems;
    std::fputs(end.text.c_str(), stdout);
    std::fflush(stdout);
  }

  TestWatch watch_;
};

/// True when the program is only asked for its tests or its help.
inline bool only_lists_tests(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    for (const char* word : {"--gtest_list_tests", "--gtest_list_tests=1", "--help", "-h"}) {
      if (std::strcmp(argv[i], word) == 0) return true;
    }
  }
  return false;
}

/// Joins the environment, then initialises GoogleTest, adds the listener and runs the tests.
/// Returns what main() is to return; 1 with a message when there is no environment to join.
inline int run_all_tests(int argc, char** argv) {
  std::optional<Environment> environment;
  if (!only_lists_tests(argc, argv)) {
    try {
      environment = join_environment();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s: %s\n", argc > 0 ? argv[0] : "isoenv", error.what());
      return 1;
    }
  }
  ::testing::InitGoogleTest(&argc, argv);
  if (environment) {
    ::testing::UnitTest::GetInstance()->listeners().Append(
        new GtestListener(std::move(*environment)));
  }
  return RUN_ALL_TESTS();
}

}  // namespace client
}  // namespace isoenv
