#include "base/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <string>

namespace isoenv {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ErrorTest, DeservesTheEnvironmentsExitCodeUnlessItSaysMore) {
  EXPECT_EQ(Error("no").code(), ExitCode::kEnvironmentFailed);
  const Error usage("no", ExitCode::kUsage, "try yes");
  EXPECT_EQ(usage.code(), ExitCode::kUsage);
  EXPECT_EQ(usage.hint(), "try yes");
}

TEST(ErrorTest, KeepsFramesFromTheInnermostOut) {
  try {
    with_frame("bringing up 'shop'",
               [] { with_frame("starting 'user'", [] { throw Error("program not found"); }); });
    FAIL() << "the error was swallowed";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "program not found");
    EXPECT_THAT(error.frames(), ElementsAre("starting 'user'", "bringing up 'shop'"));
  }
}

TEST(ErrorTest, FramesLeaveTheResultOfTheirBodyAlone) {
  EXPECT_EQ(with_frame("counting", [] { return 7; }), 7);
}

TEST(SystemErrorTest, NamesOperationSubjectAndCause) {
  const SystemError error(EACCES, "open", "/etc/shadow");
  EXPECT_STREQ(error.what(), "cannot open '/etc/shadow': EACCES (Permission denied)");
  EXPECT_EQ(error.error_number(), EACCES);
  EXPECT_EQ(error.operation(), "open");
}

TEST(SystemErrorTest, NeedsNoSubject) {
  EXPECT_STREQ(SystemError(EPERM, "unshare").what(),
               "cannot unshare: EPERM (Operation not permitted)");
}

TEST(SystemErrorTest, TakesTheCurrentErrno) {
  errno = ENOENT;
  try {
    throw_errno("open", "x");
  } catch (const SystemError& error) {
    EXPECT_EQ(error.error_number(), ENOENT);
  }
}

TEST(SystemErrorTest, TellsTheLimitOfOpenFilesUnlessThereIsMoreToSay) {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const SystemError error(EMFILE, "open", "x");
  EXPECT_THAT(error.hint(), HasSubstr("at most " + std::to_string(limit.rlim_cur) + " files"));
  EXPECT_EQ(SystemError(ENFILE, "open", "x").hint(), "");
  EXPECT_EQ(SystemError(EMFILE, "open", "x", ExitCode::kUsage, "use less").hint(), "use less");
}

TEST(SystemErrorTest, TellsNumbersThatHaveNoName) {
  EXPECT_EQ(errno_text(99999), "unknown error (99999)");
}

}  // namespace
}  // namespace isoenv
