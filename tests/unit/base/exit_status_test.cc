#include "base/exit_status.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>

namespace isoenv {
namespace {

TEST(ExitStatusTest, ReadsACodeFromAStatusWord) {
  const ExitStatus status = ExitStatus::from_wait(W_EXITCODE(3, 0));
  EXPECT_EQ(status, (ExitStatus{3, 0, false}));
  EXPECT_FALSE(status.success());
  EXPECT_EQ(status.shell_code(), 3);
  EXPECT_EQ(status.describe(), "exit code 3");
}

TEST(ExitStatusTest, ReadsASignalFromAStatusWord) {
  const ExitStatus status = ExitStatus::from_wait(W_EXITCODE(0, SIGSEGV) | WCOREFLAG);
  EXPECT_EQ(status, (ExitStatus{0, SIGSEGV, true}));
  EXPECT_FALSE(status.success());
  EXPECT_EQ(status.shell_code(), 128 + SIGSEGV);
  EXPECT_EQ(status.describe(), "killed by SIGSEGV (core dumped)");
}

TEST(ExitStatusTest, OnlyCodeZeroIsSuccess) {
  EXPECT_TRUE(ExitStatus{}.success());
  EXPECT_FALSE((ExitStatus{1, 0, false}).success());
  EXPECT_FALSE((ExitStatus{0, SIGTERM, false}).success());
}

TEST(SignalNameTest, HasANameForEverySignalButRealTimeOnes) {
  EXPECT_EQ(signal_name(SIGTERM), "SIGTERM");
  EXPECT_EQ(signal_name(99), "signal 99");
}

TEST(SignalNumberTest, TakesNamesWithAndWithoutPrefixAndNumbers) {
  EXPECT_EQ(signal_number("SIGINT"), SIGINT);
  EXPECT_EQ(signal_number("INT"), SIGINT);
  EXPECT_EQ(signal_number("15"), SIGTERM);
}

TEST(SignalNumberTest, IsZeroForAnythingElse) {
  for (const char* name : {"", "SIG", "sigterm", "SIG15", "0", "-1", "SIGNOPE", " TERM"}) {
    EXPECT_EQ(signal_number(name), 0) << name;
  }
}

TEST(SignalNumberTest, ReadsBackEveryName) {
  for (int signal = 1; signal < 32; ++signal) {
    EXPECT_EQ(signal_number(signal_name(signal)), signal);
  }
}

}  // namespace
}  // namespace isoenv
