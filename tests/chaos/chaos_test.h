// The ground of the rounds: an instance that must not notice (the bystander), chance, what is
// started, what is done to it, and what must be so afterwards.
//
// Each round draws all its decisions from a seed of its own, so that a seed repeats them; the
// moments it cannot repeat. What was started and done is told when a round fails.
#pragma once

#include <array>
#include <chrono>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "support/system_test.h"

namespace isoenv::test {

class ChaosTest : public SystemTest {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// Starts something, does something bad, and waits for all that it started itself.
  void live_one_round(unsigned seed);
  /// Nothing is left, the bystander is as it was, the next run works, and nothing crashed.
  void expect_all_is_well();
  /// What the last round did, for people.
  const std::string& story() const { return story_; }

 private:
  // ---- chance
  unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }
  bool one_in(unsigned many) { return below(many) == 0; }
  template <typename Container>
  const auto& one_of(const Container& choices) {
    return choices[below(static_cast<unsigned>(std::size(choices)))];
  }
  /// Mostly the time of a start, sometimes that of a stop after it.
  void let_some_time_pass();
  Words some_services();
  /// One to three calls that fail in whatever is started, for ISOENV_FAULTS.
  std::string some_faults();
  void say(const std::string& what) { story_ += "  " + what + "\n"; }

  // ---- what is started (rounds.cc)
  void live_in_namespaces();
  void live_on_the_host();
  void up_exec_down();
  void ups_at_once();
  void run_for_a_while();
  void ctest();
  void terminal();
  void full_disk();
  /// Where too few processes are granted: by a cgroup for root, who minds no RLIMIT_NPROC.
  void few_processes();
  void configure_ctest();
  /// Words in front of a command that make the machine a poor one for it, or none.
  Words hardship();
  Words isoenv_words(const Words& words);
  Words up_of_some(const std::string& owner);
  Words run_of_some();
  void expect_end(Process& process);
  void let_go_of_what_another_ctest_got(const std::string& starter);

  // ---- what is done to it (violence.cc)
  void do_something_bad();
  void kill_some();
  void kill_half();
  void signal_all(const std::vector<LivingProcess>& hit);
  void remove_run_directories();
  void remove_artefacts();
  /// The processes of this round.
  std::vector<LivingProcess> victims() const;
  /// Those that play one part, or all when none does at the moment.
  std::vector<LivingProcess> players(const std::string& part) const;

  // ---- what must be so afterwards
  std::vector<std::string> differences() const;
  void expect_next_run_to_work();
  void expect_no_crash_in_the_logs();

  std::filesystem::path isolated_spec_;
  std::filesystem::path ports_spec_;  ///< the same zoo, for a machine without namespaces
  std::filesystem::path spec_;        ///< that of the two which this round uses
  std::filesystem::path bystander_spec_;
  bool on_host_ = false;  ///< this round is one without namespaces
  pid_t bystander_ = 0;
  std::size_t bystander_descriptors_ = 0;
  std::vector<std::string> baseline_;
  std::string story_;
  std::mt19937 random_;
};

/// Looks again and again, for that long.
template <typename Condition>
[[nodiscard]] bool eventually_within(std::chrono::milliseconds patience, Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

}  // namespace isoenv::test
