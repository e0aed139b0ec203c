// Violence at random moments; after each round nothing is left, another instance is untouched, and
// the next run works.
//
// A round starts a real ctest run or an instance of the zoo, waits for a moment, does something bad
// and lets go. Each round has a seed of its own, which the failure prints:
//
//   ISOENV_TEST_SEED=N    the first round's seed; each further round's is one more
//   ISOENV_TEST_ROUNDS=N  how many
#include "chaos_test.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "zoo.h"

namespace isoenv::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr unsigned kRounds = 12;

unsigned number_from(const char* variable, unsigned otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : static_cast<unsigned>(std::stoul(text));
}

std::size_t descriptors_of(pid_t process) {
  std::error_code ignored;
  const fs::directory_iterator entries("/proc/" + std::to_string(process) + "/fd", ignored);
  return static_cast<std::size_t>(std::distance(fs::begin(entries), fs::end(entries)));
}

}  // namespace

void ChaosTest::SetUp() {
  // A refusal that a fault makes up is none to degrade for.
  options().env["ISOENV_ISOLATION"] = "netns";
  isolated_spec_ = write_spec(zoo_spec(dir(), ISOENV_TEST_UID, "80"));
  ports_spec_ = write_spec(zoo_spec(dir(), ISOENV_TEST_UID, "\"auto\""), "ports.json");
  bystander_spec_ = write_spec(
      R"("services": {"calm": {"command": ["test_service", "tcp_echo", "*", "80", "calm:"],
                                 "ports": {"main": 80}}})",
      "bystander.json");
  ASSERT_THAT(isoenv({"up", "-f", bystander_spec_, "--artefacts", dir() / "bystander", "--owner",
                      std::to_string(::getpid())}),
              ExitedWith(0));
  // The keeper's end of a connection counts among the host's sockets until the keeper has closed
  // it.
  ASSERT_TRUE(eventually([&] {
    baseline_ = leftovers();
    return std::none_of(baseline_.begin(), baseline_.end(),
                        [](const std::string& line) { return line.rfind("socket ", 0) == 0; });
  }));
  bystander_ = keeper();
  bystander_descriptors_ = descriptors_of(bystander_);
  EXPECT_FALSE(baseline_.empty());
  EXPECT_GT(bystander_descriptors_, 5U);
}

void ChaosTest::TearDown() {
  EXPECT_THAT(down(bystander_spec_), ExitedWith(0));
  SystemTest::TearDown();
}

void ChaosTest::let_some_time_pass() {
  const unsigned longest = one_of(std::array{5'000U, 50'000U, 200'000U, 500'000U});
  std::this_thread::sleep_for(std::chrono::microseconds(below(longest)));
}

void ChaosTest::live_one_round(unsigned seed) {
  random_.seed(seed);
  story_.clear();
  on_host_ = one_in(6);
  spec_ = on_host_ ? ports_spec_ : isolated_spec_;
  options().env["ISOENV_ISOLATION"] = on_host_ ? "ports" : "netns";
  say(on_host_ ? "without namespaces" : "with namespaces");
#ifdef ISOENV_FAULT_INJECTION
  if (one_in(4)) {
    options().env["ISOENV_FAULTS"] = some_faults();
    say("ISOENV_FAULTS=" + options().env["ISOENV_FAULTS"]);
  }
#endif
  if (on_host_) {
    live_on_the_host();
  } else {
    live_in_namespaces();
  }
  options().env.erase("ISOENV_FAULTS");
}

std::vector<std::string> ChaosTest::differences() const {
  const std::vector<std::string> now = leftovers();
  std::vector<std::string> found;
  for (const std::string& line : now) {
    if (std::count(baseline_.begin(), baseline_.end(), line) == 0) found.push_back(line);
  }
  for (const std::string& line : baseline_) {
    if (std::count(now.begin(), now.end(), line) == 0) found.push_back("gone: " + line);
  }
  return found;
}

void ChaosTest::expect_next_run_to_work() {
  Words words{"run",  "-f", spec_,          "--artefacts", artefact_dir(), "--service",
              "deaf", "--", "test_service", "tcp_ask",     "any",          "localhost"};
  words.push_back(on_host_ ? "env:ISOENV_DEAF_PORT" : "80");
  words.push_back("next");
  EXPECT_THAT(isoenv(words), ExitedWith(0));
}

void ChaosTest::expect_all_is_well() {
  EXPECT_TRUE(eventually([&] { return victims().empty(); }));
  expect_next_run_to_work();
  std::vector<std::string> left;
  const bool tidy = eventually_within(milliseconds(3000), [&] {
    left = differences();
    return left.empty();
  });
  std::string text;
  for (const std::string& line : left) text += "  " + line + "\n";
  EXPECT_TRUE(tidy) << "left behind, or gone from the bystander:\n" << text;
  options().env["ISOENV_ISOLATION"] = "netns";
  EXPECT_THAT(exec_in(bystander_spec_, {"tcp_ask", "any", "calm", "80", "x"}), ExitedWith(0));
  EXPECT_TRUE(eventually([&] { return descriptors_of(bystander_) == bystander_descriptors_; }))
      << "the bystander holds what it did not";
  expect_no_crash_in_the_logs();
}

/// A keeper tells of its crash nowhere else.
void ChaosTest::expect_no_crash_in_the_logs() {
  std::error_code ignored;
  for (const fs::path& folder : {artefact_dir(), dir() / "build" / "isoenv"}) {
    for (fs::recursive_directory_iterator entry(folder, ignored), end; !ignored && entry != end;
         entry.increment(ignored)) {
      if (entry->path().filename() != "keeper.log") continue;
      const std::string text = read_file(entry->path());
      EXPECT_EQ(text.find("terminate called"), std::string::npos) << text;
      EXPECT_EQ(text.find("Sanitizer"), std::string::npos) << text;
      EXPECT_EQ(text.find("ssertion"), std::string::npos) << text;
    }
  }
  fs::remove_all(artefact_dir(), ignored);
  fs::remove_all(dir() / "build" / "isoenv" / "stack", ignored);
}

namespace {

TEST_F(ChaosTest, LeavesNothingAndNobodyElseHarmed) {
  const unsigned first = number_from("ISOENV_TEST_SEED", std::random_device()() % 1'000'000);
  const unsigned rounds = number_from("ISOENV_TEST_ROUNDS", kRounds);
  std::cout << "ISOENV_TEST_SEED=" << first << " ISOENV_TEST_ROUNDS=" << rounds << std::endl;
  unsigned round = 0;
  for (; round < rounds && !HasFailure(); ++round) {
    live_one_round(first + round);
    expect_all_is_well();
    if ((round + 1) % 100 == 0) std::cout << round + 1 << " rounds" << std::endl;
  }
  if (!HasFailure()) {
    std::cout << rounds << " rounds survived" << std::endl;
    return;
  }
  std::cout << "round " << round - 1
            << " of it failed; again: ISOENV_TEST_SEED=" << first + round - 1
            << " ISOENV_TEST_ROUNDS=1\n"
            << story() << std::flush;
}

}  // namespace
}  // namespace isoenv::test
