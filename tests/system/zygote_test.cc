// Where inits come from, and what happens when nothing is there that clones them.
#include <gmock/gmock.h>
#include <signal.h>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class ZygoteTest : public SystemTest {
 protected:
  std::filesystem::path write_two() const {
    return write_spec(R"("services": {
      "first": {"command": ["test_service", "tcp_echo", "*", "3000"],
                "ports": {"echo": 3000}, "ready": [{"tcp": "echo"}]},
      "second": {"command": ["test_service", "tcp_echo", "*", "3000"],
                 "ports": {"echo": 3000}, "ready": [{"tcp": "echo"}]}})");
  }

  std::vector<LivingProcess> named(const std::string& name) const {
    std::vector<LivingProcess> found = processes();
    std::erase_if(found, [&](const LivingProcess& process) { return process.name != name; });
    return found;
  }

  pid_t zygote() const {
    const std::vector<LivingProcess> found = named("isoenv-zygote");
    return found.size() == 1 ? found.front().pid : 0;
  }
};

TEST_F(ZygoteTest, ClonesInitsThatAreTheKeepersChildren) {
  const auto spec = write_two();
  ASSERT_THAT(up(spec), ExitedWith(0));
  ASSERT_NE(zygote(), 0);
  const std::vector<LivingProcess> inits = named("isoenv-init");
  ASSERT_THAT(inits, SizeIs(2));
  for (const LivingProcess& init : inits) EXPECT_EQ(init.parent, keeper());
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(ZygoteTest, IsNotMissedWhenItWasKilled) {
  const auto spec = write_two();
  ASSERT_THAT(up(spec, {"first"}), ExitedWith(0));
  ASSERT_EQ(::kill(zygote(), SIGKILL), 0);
  ASSERT_TRUE(eventually([this] { return zygote() == 0; }));
  ASSERT_THAT(up(spec, {"second"}), ExitedWith(0));
  EXPECT_THAT(named("isoenv-init"), SizeIs(2));
  EXPECT_THAT(isoenv({"restart", "-f", spec.string(), "first"}), ExitedWith(0));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(ZygoteTest, FailsTheStartItWasKilledDuring) {
  const auto spec = write_two();
  ASSERT_THAT(up(spec, {"first"}), ExitedWith(0));
  const pid_t stopped = zygote();
  ASSERT_EQ(::kill(stopped, SIGSTOP), 0);
  Process starting = start_up(spec, {"second"});
  // The request is in the socket of a process that stands still; the event tells that it is asked.
  ASSERT_TRUE(eventually([&] {
    return isoenv({"ps", "-f", spec.string()}).out.find("starting") != std::string::npos;
  }));
  ASSERT_EQ(::kill(stopped, SIGKILL), 0);
  const Outcome outcome = starting.wait();
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err,
              HasSubstr("second: isoenv-zygote, which clones services' inits, was killed"));
  EXPECT_THAT(up(spec, {"second"}), ExitedWith(0));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(ZygoteTest, KeepsNoInitOfAStartThatWasGivenUp) {
  const auto spec = write_two();
  ASSERT_THAT(up(spec, {"first"}), ExitedWith(0));
  const pid_t stopped = zygote();
  ASSERT_EQ(::kill(stopped, SIGSTOP), 0);
  Process starting = start_up(spec, {"second"});
  ASSERT_TRUE(eventually([&] {
    return isoenv({"ps", "-f", spec.string()}).out.find("starting") != std::string::npos;
  }));
  Process ending = start_isoenv({"down", "-f", spec.string()});
  ASSERT_EQ(::kill(stopped, SIGCONT), 0);
  (void)starting.wait();
  (void)ending.wait();
  EXPECT_TRUE(eventually([this] { return processes().empty(); }));
}

}  // namespace
}  // namespace isoenv::test
