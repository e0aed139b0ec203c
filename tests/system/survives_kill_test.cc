// SIGKILL at random moments to whatever an instance consists of; nothing may ever be left.
//
// ISOENV_TEST_SEED repeats a run, ISOENV_TEST_ROUNDS makes it longer.
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>
#include <thread>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

unsigned number_from(const char* variable, unsigned otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : static_cast<unsigned>(std::stoul(text));
}

class SurvivesKillTest : public SystemTest {
 protected:
  void SetUp() override {
    spec_ = write_spec(R"("services": {
      "deaf": {"command": ["test_service", "ignores", "SIGTERM", "then", "leaves_daemon", "daemon",
                           "then", "tcp_echo", "*", "80"],
               "ports": {"main": 80}, "localhost": ["main"], "publish": {"main": "auto"},
               "stop_timeout": "50ms"},
      "web": {"command": ["test_service", "http_hello", "*", "81"], "ports": {"http": 81},
              "depends": ["deaf"], "ready": [{"http": "http", "path": "/health"}]},
      "free": {"command": ["test_service", "notifies", "READY=1", "then", "forks", "5", "then", "waits"],
               "ready": [{"notify": true}]}},
      "tasks": {"seed": {"command": ["test_service", "writes_flat_out", "s", "100"], "depends": ["web"]}})");
    // LeakSanitizer searches in a task of its own, and waits for ever for one that was killed.
    options().env["ASAN_OPTIONS"] += ":detect_leaks=0";
    const unsigned seed = number_from("ISOENV_TEST_SEED", std::random_device()());
    std::cout << "ISOENV_TEST_SEED=" << seed << std::endl;
    random_.seed(seed);
  }

  unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }
  void let_some_time_pass() {
    std::this_thread::sleep_for(std::chrono::microseconds(below(40'000)));
  }

  void expect_nothing_left_of_an_instance() {
    // Only when no process is left is nobody at work in these directories any more.
    EXPECT_TRUE(eventually([&] { return processes().empty(); }));
    collect_garbage();
    expect_nothing_left();
  }

  std::filesystem::path spec_;
  std::mt19937 random_;
};

TEST_F(SurvivesKillTest, OfAnyProcessAtAnyMoment) {
  const unsigned rounds = number_from("ISOENV_TEST_ROUNDS", 30);
  for (unsigned round = 0; round < rounds && !HasFailure(); ++round) {
    Process owner({"test_service", "waits"}, options());
    Process waiting = start_up(spec_, {"--owner", std::to_string(owner.pid())});
    if (below(2) == 0) {
      EXPECT_THAT(waiting.wait(), ExitedWith(0)) << "round " << round;
    }
    let_some_time_pass();
    const std::vector<LivingProcess> all = processes();
    const LivingProcess victim = all[below(static_cast<unsigned>(all.size()))];
    SCOPED_TRACE("round " + std::to_string(round) + " killed " + victim.command_line);
    ::kill(victim.pid, SIGKILL);
    let_some_time_pass();
    owner.send_signal(SIGKILL);
    owner.wait();
    waiting.wait();
    expect_nothing_left_of_an_instance();
  }
}

TEST_F(SurvivesKillTest, OfRunAtAnyMoment) {
  const unsigned rounds = number_from("ISOENV_TEST_ROUNDS", 30);
  for (unsigned round = 0; round < rounds && !HasFailure(); ++round) {
    Process running = start_isoenv({"run", "-f", spec_, "--artefacts", artefact_dir(), "--",
                                    "test_service", "leaves_daemon", dir() / "d", "then", "waits"});
    let_some_time_pass();
    SCOPED_TRACE("round " + std::to_string(round));
    const int signal = std::array{SIGKILL, SIGTERM, SIGINT}[below(3)];
    running.send_signal(signal);
    running.wait();
    expect_nothing_left_of_an_instance();
  }
}

}  // namespace
}  // namespace isoenv::test
