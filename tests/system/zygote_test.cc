// Where inits come from, and what happens when nothing is there that clones them.
#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAreArray;

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

  /// Of the services that are up, as `ps` shows them.
  std::vector<pid_t> shown_pids(const std::filesystem::path& spec) const {
    std::vector<pid_t> pids;
    const Outcome shown = isoenv({"ps", "-f", spec.string(), "--json"});
    for (const auto& service : nlohmann::json::parse(shown.out)) {
      if (service.at("state") == "ready") pids.push_back(service.at("pid"));
    }
    return pids;
  }

  /// The same as everybody sees them.
  std::vector<pid_t> service_pids() const {
    std::vector<pid_t> pids;
    for (const LivingProcess& process : named("test_service")) pids.push_back(process.pid);
    return pids;
  }

  pid_t zygote() const {
    const std::vector<LivingProcess> found = named("isoenv-zygote");
    return found.size() == 1 ? found.front().pid : 0;
  }
};

TEST_F(ZygoteTest, ClonesInitsThatAreTheKeepersChildren) {
  const auto spec = write_two();
  ASSERT_THAT(up(spec), ExitedWith(0));
  const std::vector<LivingProcess> zygotes = named("isoenv-zygote");
  ASSERT_THAT(zygotes, SizeIs(1));
  EXPECT_THAT(zygotes.front().command_line, StartsWith("isoenv-zygote")) << "and no fork";
  const std::vector<LivingProcess> inits = named("isoenv-init");
  ASSERT_THAT(inits, SizeIs(2));
  for (const LivingProcess& init : inits) EXPECT_EQ(init.parent, keeper());
  EXPECT_THAT(down(spec), ExitedWith(0));
}

#ifndef __SANITIZE_ADDRESS__  // whose own memory is many times as much

/// What a process alone has, in KiB.
int private_memory(pid_t pid) {
  std::ifstream rollup("/proc/" + std::to_string(pid) + "/smaps_rollup");
  int size = -1;
  for (std::string word; size < 0 && rollup >> word;) {
    if (word == "Private_Dirty:") rollup >> size;
  }
  return size;
}

TEST_F(ZygoteTest, KeepsNothingOfTheEnvironmentInItsInits) {
  for (int i = 0; i < 8; ++i) {
    options().env["BULK" + std::to_string(i)] = std::string(100'000, 'x');
  }
  const auto spec = write_two();
  ASSERT_THAT(up(spec), ExitedWith(0));
  const std::vector<LivingProcess> inits = named("isoenv-init");
  ASSERT_THAT(inits, SizeIs(2));
  for (const LivingProcess& init : inits) {
    EXPECT_GT(private_memory(init.pid), 0);
    EXPECT_TRUE(eventually([&] { return private_memory(init.pid) < 400; }))  // once it has told
        << private_memory(init.pid) << " KiB of the 800 that it was to start with";
  }
  EXPECT_THAT(down(spec), ExitedWith(0));
}

#endif

TEST_F(ZygoteTest, IsNotMissedWhenItWasKilled) {
  const auto spec = write_two();
  ASSERT_THAT(up(spec, {"first"}), ExitedWith(0));
  EXPECT_THAT(shown_pids(spec), UnorderedElementsAreArray(service_pids()));
  ASSERT_EQ(::kill(zygote(), SIGKILL), 0);
  ASSERT_TRUE(eventually([this] { return zygote() == 0; }));
  ASSERT_THAT(up(spec, {"second"}), ExitedWith(0));
  EXPECT_THAT(named("isoenv-init"), SizeIs(2));
  EXPECT_THAT(shown_pids(spec), UnorderedElementsAreArray(service_pids())) << "the keeper's own";
  EXPECT_THAT(isoenv({"restart", "-f", spec.string(), "first"}), ExitedWith(0));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

/// `first` is up, and `second` waits for a zygote that stands still.
class StoppedZygoteTest : public ZygoteTest {
 protected:
  void SetUp() override {
    ZygoteTest::SetUp();
    spec_ = write_two();
    ASSERT_THAT(up(spec_, {"first"}), ExitedWith(0));
    zygote_ = zygote();
    ASSERT_EQ(::kill(zygote_, SIGSTOP), 0);
  }

  Process start_second() {
    Process starting = start_up(spec_, {"second"});
    EXPECT_TRUE(eventually([&] {
      return isoenv({"ps", "-f", spec_.string()}).out.find("starting") != std::string::npos;
    }));
    return starting;
  }

  std::filesystem::path spec_;
  pid_t zygote_ = 0;
};

TEST_F(StoppedZygoteTest, FailsTheStartItIsKilledDuring) {
  Process starting = start_second();
  ASSERT_EQ(::kill(zygote_, SIGKILL), 0);
  const Outcome outcome = starting.wait();
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err,
              HasSubstr("second: isoenv-zygote, which clones services' inits, was killed"));
  EXPECT_THAT(up(spec_, {"second"}), ExitedWith(0));
  EXPECT_THAT(down(spec_), ExitedWith(0));
}

TEST_F(StoppedZygoteTest, LeavesNoInitOfAStartThatIsGivenUp) {
  Process starting = start_second();
  Process ending = start_isoenv({"down", "-f", spec_.string()});
  ASSERT_EQ(::kill(zygote_, SIGCONT), 0);
  (void)starting.wait();
  (void)ending.wait();
  EXPECT_TRUE(eventually([this] { return processes().empty(); }));
}

// As where a security module forbids it.
TEST_F(ZygoteTest, IsAForkOfTheKeeperWhereItCannotBeExecuted) {
  const auto spec = write_two();
  const Words words{"up",
                    "-f",
                    spec.string(),
                    "--artefacts",
                    artefact_dir().string(),
                    "--owner",
                    std::to_string(::getpid())};
  ASSERT_THAT(isoenv_under({"--syscall", "execveat=EACCES"}, words), ExitedWith(0));
  const std::vector<LivingProcess> found = named("isoenv-zygote");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found.front().command_line, HasSubstr("isoenv up -f")) << "its own program";
  EXPECT_THAT(named("isoenv-init"), SizeIs(2));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

}  // namespace
}  // namespace isoenv::test
