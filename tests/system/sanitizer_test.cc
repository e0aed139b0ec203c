// A build with sanitizers alone has these: what they report fails the test in which it happened,
// whoever it happened to.
#include <csignal>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using SanitizerTest = SystemTest;

TEST_F(SanitizerTest, TellsOfAKeeperThatCrashesWhenNobodyWaitsForItAnyMore) {
  const auto spec = write_spec(R"("services": {"web": {"command": ["test_service", "waits"]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  ::kill(keeper(), SIGSEGV);
  EXPECT_TRUE(eventually([&] { return processes().empty(); }));
  EXPECT_THAT(take_sanitizer_reports(), ElementsAre(HasSubstr("AddressSanitizer: SEGV")));
  collect_garbage();
}

}  // namespace
}  // namespace isoenv::test
