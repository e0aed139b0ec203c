#include "source/executable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "isoenv/error.h"
#include "support/temp_dir.h"

namespace isoenv::inline client {
namespace {

using ::testing::EndsWith;

/// A script in the place of isoenv.
class ExecutableTest : public ::testing::Test {
 protected:
  void SetUp() override { ::unsetenv("ISOENV_EXECUTABLE"); }
  void write(const std::string& text) {
    std::ofstream(script()) << "#!/bin/sh\n" << text << "\n";
    ::chmod(script().c_str(), 0755);
    ::setenv("ISOENV_EXECUTABLE", script().c_str(), 1);
  }
  std::string script() const { return folder_.path() / "isoenv"; }

  test::TempDir folder_;
};

TEST_F(ExecutableTest, IsTheOneThatTheVariableNames) {
  write("");
  EXPECT_EQ(find_executable(), script());
}

TEST_F(ExecutableTest, IsRefusedWhenTheVariableNamesNone) {
  ::setenv("ISOENV_EXECUTABLE", "/no/isoenv", 1);
  EXPECT_THROW(find_executable(), EnvironmentError);
}

TEST_F(ExecutableTest, IsTheOneThatTheLibraryCameWith) {
  EXPECT_THAT(find_executable(), EndsWith("/isoenv"));
}

TEST_F(ExecutableTest, GetsItsArgumentsAndNoInput) {
  write("printf '%s|' \"$@\"; cat; echo complaint >&2; exit 3");
  const Outcome outcome = run_isoenv({"up", "a b", ""});
  EXPECT_EQ(outcome.out, "up|a b||");
  EXPECT_EQ(outcome.error, "complaint");
  EXPECT_EQ(outcome.code, 3);
}

TEST_F(ExecutableTest, MayWriteMoreThanAPipeHolds) {
  write("head -c 1000000 /dev/zero >&2; head -c 1000000 /dev/zero");
  const Outcome outcome = run_isoenv({"ps"});
  EXPECT_EQ(outcome.out.size(), 1000000U);
  EXPECT_EQ(outcome.error.size(), 1000000U);
}

TEST_F(ExecutableTest, MayBeKilled) {
  write("kill -9 $$");
  EXPECT_EQ(run_isoenv({"ps"}).code, 137);
}

}  // namespace
}  // namespace isoenv::inline client
