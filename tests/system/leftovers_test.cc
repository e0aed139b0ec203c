// The tests' own judge: expect_nothing_left() must find what a careless program leaves.
#include <csignal>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using LeftoversTest = SystemTest;

TEST_F(LeftoversTest, AreEmptyAtFirst) { EXPECT_THAT(leftovers(), IsEmpty()); }

TEST_F(LeftoversTest, IncludeADaemonThatForkedTwice) {
  Process parent({"test_service", "leaves_daemon", dir() / "daemon"}, options());
  ASSERT_TRUE(eventually([&] { return parent.ended(); }));
  EXPECT_THAT(leftovers(), Contains(HasSubstr("leaves_daemon")));
  for (const LivingProcess& process : processes()) ::kill(process.pid, SIGKILL);
  EXPECT_THAT(parent.wait(), ExitedWith(0));
}

TEST_F(LeftoversTest, IncludeALeaseAndATemporaryFile) {
  std::filesystem::create_directory(runtime_dir() / "0123abcd");
  write_file("r/0123abcd/lease", "{}");
  write_file("tmp/file", "");
  EXPECT_THAT(leftovers(), Contains(HasSubstr("0123abcd/lease")));
  EXPECT_THAT(leftovers(), Contains(HasSubstr("tmp/file")));
  std::filesystem::remove_all(runtime_dir() / "0123abcd");
  std::filesystem::remove(dir() / "tmp" / "file");
}

TEST_F(LeftoversTest, IncludeChangesOfTheHost) {
  const HostState before = HostState::now();
  EXPECT_THAT(before.differences_to(before), IsEmpty());
  EXPECT_THAT(before.differences_to(HostState()), Contains("gone: interface lo"));
  EXPECT_THAT(HostState().differences_to(before), Contains("new: interface lo"));
  EXPECT_THAT(HostState().differences_to(before), Contains(HasSubstr("new: rule ")));
  EXPECT_THAT(HostState().differences_to(before), Contains(HasSubstr("new: mount ")));
}

}  // namespace
}  // namespace isoenv::test
