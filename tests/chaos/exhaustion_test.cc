// A keeper that has run out of something fails what it was asked for, and nothing else.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kSpec[] = R"("services": {
  "calm": {"command": ["test_service", "tcp_echo", "*", "80", "calm:"], "ports": {"main": 80}},
  "late": {"command": ["test_service", "notifies", "READY=1", "then", "tcp_echo", "*", "80", "late:"],
           "ports": {"main": 80}, "localhost": ["main"],
           "ready": [{"notify": true}, {"exec": ["test_service", "exits", "0"]}]}})";

class ExhaustionTest : public SystemTest {
 protected:
  static rlim_t descriptors_of(pid_t process) {
    const std::filesystem::path folder = "/proc/" + std::to_string(process) + "/fd";
    rlim_t highest = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      highest = std::max<rlim_t>(highest, std::stoul(entry.path().filename()));
    }
    return highest + 1;
  }

  static void limit_descriptors(pid_t process, rlim_t most) {
    rlimit limit{};
    ASSERT_EQ(::prlimit(process, RLIMIT_NOFILE, nullptr, &limit), 0);
    limit.rlim_cur = most;
    ASSERT_EQ(::prlimit(process, RLIMIT_NOFILE, &limit, nullptr), 0);
  }
};

TEST_F(ExhaustionTest, OfDescriptorsFailsTheServiceThatStartsAndNoOther) {
  const auto spec = write_spec(kSpec);
  ASSERT_THAT(up(spec, {"calm"}), ExitedWith(0));
  const pid_t keeping = keeper();
  const rlim_t held = descriptors_of(keeping);
  unsigned failures = 0;
  bool enough = false;
  // The first is for the connection of `up` itself.
  for (rlim_t spare = 1; !enough && spare < 40; ++spare) {
    SCOPED_TRACE(std::to_string(spare) + " descriptors left");
    limit_descriptors(keeping, held + spare);
    const Outcome outcome = up(spec, {"late"});
    limit_descriptors(keeping, 1024);
    enough = outcome.exited_with(0);
    if (!enough) {
      ++failures;
      EXPECT_THAT(outcome, ExitedWith(1));
      EXPECT_THAT(outcome.err, HasSubstr("late: "));
      EXPECT_THAT(outcome.err, HasSubstr("EMFILE"));
      EXPECT_THAT(outcome.err, Not(HasSubstr("[system")));
    }
    EXPECT_THAT(exec_in(spec, {"tcp_ask", "any", "calm", "80", "x"}), ExitedWith(0));
  }
  EXPECT_GT(failures, 5U);
  EXPECT_TRUE(enough);
  EXPECT_THAT(exec_in(spec, {"tcp_ask", "any", "late", "80", "x"}), ExitedWith(0));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

}  // namespace
}  // namespace isoenv::test
