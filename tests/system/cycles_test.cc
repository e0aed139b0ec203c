// Services that come and go for as long as their keeper lives: it holds on to nothing of them.
//
// ISOENV_TEST_CYCLES says how often, 60 times by default; a leak shows with any number, and a
// larger one shows a smaller leak.
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "harness/control.h"
#include "support/system_test.h"

namespace isoenv::test {
namespace {

namespace fs = std::filesystem;

/// What a process holds, as /proc tells it.
struct Holdings {
  std::size_t descriptors = 0;
  std::size_t threads = 0;
  std::size_t memory = 0;  ///< resident, KiB

  static Holdings of(pid_t pid) {
    const fs::path process = "/proc/" + std::to_string(pid);
    Holdings holdings;
    holdings.descriptors = count_entries(process / "fd");
    holdings.threads = count_entries(process / "task");
    std::ifstream status(process / "status");
    for (std::string word; status >> word;) {
      if (word == "VmRSS:") status >> holdings.memory;
    }
    return holdings;
  }

 private:
  static std::size_t count_entries(const fs::path& folder) {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder)) ++count;
    return count;
  }
};

class CyclesTest : public SystemTest {
 protected:
  static std::size_t cycles() {
    const char* const wanted = std::getenv("ISOENV_TEST_CYCLES");
    return wanted == nullptr ? 60 : std::strtoul(wanted, nullptr, 10);
  }

  void cycle(ControlClient& client, std::size_t times) {
    for (std::size_t i = 0; i < times && !HasFailure(); ++i) {
      for (const Request::Kind kind : {Request::Kind::kUp, Request::Kind::kDown}) {
        const std::optional<Answer> answer = client.ask({kind, {"guest", "task"}});
        ASSERT_TRUE(answer) << "the keeper ended";
        ASSERT_FALSE(answer->error) << answer->error->what();
        ASSERT_FALSE(answer->ending);
        if (kind == Request::Kind::kUp) {
          ASSERT_TRUE(up_report_from_json(answer->report).failures.empty()) << answer->report;
        }
      }
    }
  }
};

TEST_F(CyclesTest, AKeeperHoldsNothingOfServicesThatWereTakenDown) {
  const auto spec = write_spec(R"("services": {
    "host": {"command": ["test_service", "tcp_echo", "*", "7"], "ports": {"main": 7}},
    "guest": {"command": ["test_service", "http_hello", "*", "80"], "ports": {"http": 80},
              "ready": [{"http": "http", "path": "/"}, {"tcp": "http"}, {"exec": ["true"]}],
              "localhost": {"http": 8080}}},
    "tasks": {"task": {"command": ["true"], "depends": ["guest"]}})");
  // A sanitizer keeps freed memory from being used again; here that would look like growth.
  options().env["ASAN_OPTIONS"] += ":quarantine_size_mb=0:thread_local_quarantine_size_kb=0";
  ASSERT_THAT(up(spec, {"host"}), ExitedWith(0));
  {
    auto client = ControlClient::connect(RunDirectory{runtime_dir(), instance_id()});
    ASSERT_TRUE(client);
    const std::size_t times = cycles();
    const pid_t pid = keeper();
    cycle(*client, 20 + times / 10);  // until every buffer and arena has its size
    const Holdings before = Holdings::of(pid);
    cycle(*client, times);
    const Holdings after = Holdings::of(pid);
    RecordProperty("cycles", static_cast<int>(times));
    RecordProperty("memory_before_kib", static_cast<int>(before.memory));
    RecordProperty("memory_after_kib", static_cast<int>(after.memory));
    EXPECT_EQ(after.descriptors, before.descriptors);
    EXPECT_EQ(after.threads, before.threads);
    EXPECT_LE(after.memory, before.memory + 1024);
    std::cout << times << " cycles: " << before.memory << " KiB before, " << after.memory
              << " KiB after, " << after.descriptors << " descriptors\n";
  }
  EXPECT_THAT(down(spec), ExitedWith(0));
}

}  // namespace
}  // namespace isoenv::test
