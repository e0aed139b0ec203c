// Violence at random moments; after each round nothing is left, another instance is untouched, and
// the next run works.
//
// A round starts a real ctest run or an instance of the zoo, waits for a moment, does something bad
// and lets go. Each round has a seed of its own, which the failure prints:
//
//   ISOENV_TEST_SEED=N    the first round's seed; each further round's is one more
//   ISOENV_TEST_ROUNDS=N  how many
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <random>
#include <thread>

#include "base/fault_injection.h"
#include "support/system_test.h"
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

class ChaosTest : public SystemTest {
 protected:
  void SetUp() override {
    // A refusal that a fault makes up is none to degrade for.
    options().env["ISOENV_ISOLATION"] = "netns";
    spec_ = write_spec(zoo_spec(dir(), ISOENV_TEST_UID));
    bystander_spec_ = write_spec(
        R"("services": {"calm": {"command": ["test_service", "tcp_echo", "*", "80", "calm:"],
                                 "ports": {"main": 80}}})",
        "bystander.json");
    ASSERT_THAT(isoenv({"up", "-f", bystander_spec_, "--artefacts", dir() / "bystander", "--owner",
                        std::to_string(::getpid())}),
                ExitedWith(0));
    baseline_ = leftovers();
    bystander_ = keeper();
    bystander_descriptors_ = descriptors_of(bystander_);
    EXPECT_FALSE(baseline_.empty());
    EXPECT_GT(bystander_descriptors_, 5U);
  }

  void TearDown() override {
    EXPECT_THAT(down(bystander_spec_), ExitedWith(0));
    SystemTest::TearDown();
  }

  // ---- chance

  unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }
  template <typename Container>
  const auto& one_of(const Container& choices) {
    return choices[below(static_cast<unsigned>(std::size(choices)))];
  }
  /// Mostly the time of a start, sometimes that of a stop after it.
  void let_some_time_pass() {
    const unsigned longest = one_of(std::array{5'000U, 50'000U, 200'000U, 500'000U});
    std::this_thread::sleep_for(std::chrono::microseconds(below(longest)));
  }
  Words some_services() {
    Words names;
    for (const std::string& name : zoo_services()) {
      if (below(3) == 0) names.push_back(name);
    }
    return names.empty() ? Words{"deaf"} : names;
  }

  static std::size_t descriptors_of(pid_t process) {
    std::error_code ignored;
    const fs::directory_iterator entries("/proc/" + std::to_string(process) + "/fd", ignored);
    return static_cast<std::size_t>(std::distance(fs::begin(entries), fs::end(entries)));
  }

  void say(const std::string& what) { story_ += "  " + what + "\n"; }

  // ---- who is there

  /// The processes of this round.
  std::vector<LivingProcess> victims() const {
    std::vector<LivingProcess> all = processes();
    std::erase_if(all, [&](const LivingProcess& process) {
      return std::any_of(baseline_.begin(), baseline_.end(), [&](const std::string& line) {
        return line.starts_with("process " + std::to_string(process.pid) + " ");
      });
    });
    return all;
  }

  /// Those that play one part, or all when none does at the moment.
  std::vector<LivingProcess> players(const std::string& part) const {
    std::vector<LivingProcess> found = victims();
    std::erase_if(found, [&](const LivingProcess& process) {
      const bool command = process.name == "isoenv" &&
                           process.command_line.find("isoenv " + part + " ") != std::string::npos;
      return process.name != part && !command;
    });
    return found.empty() ? victims() : found;
  }

  // ---- what can be done to them

  void kill_some() {
    static const std::array<const char*, 9> kParts{"ctest",       "up",           "exec",
                                                   "run",         "down",         "isoenv-tidy",
                                                   "isoenv-init", "test_service", "isoenv"};
    const std::string part = one_of(kParts);
    const std::vector<LivingProcess> candidates = players(part);
    if (candidates.empty()) return say("nobody is there");
    const bool half = below(6) == 0;
    const int signal = one_of(std::array{SIGKILL, SIGKILL, SIGINT, SIGTERM, SIGHUP, SIGSTOP});
    std::vector<LivingProcess> hit;
    if (half) {
      for (const LivingProcess& process : victims()) {
        if (below(2) == 0) hit.push_back(process);
      }
    } else {
      hit.push_back(one_of(candidates));
    }
    for (const LivingProcess& process : hit) {
      say("signal " + std::to_string(signal) + " to " + std::to_string(process.pid) + " (" +
          process.name + ") " + process.command_line.substr(0, 120));
      ::kill(process.pid, signal);
    }
    if (signal != SIGSTOP) return;
    let_some_time_pass();
    for (const LivingProcess& process : hit) ::kill(process.pid, SIGKILL);
  }

  void remove_run_directories() {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(runtime_dir(), ignored)) {
      const std::string line = "file " + entry.path().string();
      if (std::count(baseline_.begin(), baseline_.end(), line) > 0) continue;
      say("remove " + entry.path().string());
      fs::remove_all(entry.path(), ignored);
    }
  }

  void remove_artefacts() {
    std::error_code ignored;
    for (const fs::path& folder : {artefact_dir(), dir() / "build" / "isoenv" / "stack"}) {
      say("remove " + folder.string());
      fs::remove_all(folder, ignored);
    }
  }

  void do_something_bad() {
    let_some_time_pass();
    switch (below(10)) {
      case 0:
        return remove_run_directories();
      case 1:
        return remove_artefacts();
      default:
        return kill_some();
    }
  }

  // ---- what is started

  /// Words in front of a command that make the machine a poor one for it, or none.
  Words hardship() {
    switch (below(8)) {
      case 0:
        return {"prlimit", "--nofile=" + std::to_string(4 + below(60))};
      case 1:
        return {"prlimit", "--nproc=" + std::to_string(1 + below(40))};
      default:
        return {};
    }
  }

  Words isoenv_words(const Words& words) {
    Words all = hardship();
    all.insert(all.end(), {ISOENV_EXECUTABLE});
    all.insert(all.end(), words.begin(), words.end());
    std::string text;
    for (const std::string& word : all) text += " " + word;
    say("start" + text);
    return all;
  }

  Words up_of_some(const std::string& owner) {
    Words words{"up", "-f", spec_, "--artefacts", artefact_dir(), "--owner", owner};
    for (const std::string& name : some_services()) words.push_back(name);
    return words;
  }

  Words run_of_some() {
    Words words{"run", "-f", spec_, "--artefacts", artefact_dir()};
    for (const std::string& name : some_services()) {
      words.insert(words.end(), {"--service", name});
    }
    words.insert(words.end(), {"--", "test_service"});
    if (below(2) == 0) words.insert(words.end(), {"leaves_daemon", dir() / "d", "then"});
    words.insert(words.end(), {below(3) == 0 ? "forks" : "waits", "3"});
    return words;
  }

  void expect_end(Process& process) {
    const Outcome outcome = process.wait();
    EXPECT_FALSE(outcome.timed_out || outcome.output_left_open) << outcome;
    EXPECT_NE(outcome.signal, SIGSEGV) << outcome;
    EXPECT_NE(outcome.signal, SIGABRT) << outcome;
    EXPECT_EQ(outcome.err.find("terminate called"), std::string::npos) << outcome;
  }

  void up_exec_down() {
    Process owner({"test_service", "waits"}, options());
    Process start(isoenv_words(up_of_some(std::to_string(owner.pid()))), options());
    if (below(2) == 0) do_something_bad();
    expect_end(start);
    Process inside(isoenv_words({"exec", "-f", spec_, "--", "test_service", "leaves_daemon",
                                 dir() / "e", "then", "waits"}),
                   options());
    if (below(2) == 0) do_something_bad();
    Process stop(isoenv_words({"down", "-f", spec_}), options());
    do_something_bad();
    if (below(2) == 0) owner.send_signal(SIGKILL);
    expect_end(stop);
    owner.send_signal(SIGKILL);
    expect_end(owner);
    expect_end(inside);
  }

  void ups_at_once() {
    Process owner({"test_service", "waits"}, options());
    std::vector<Process> starts;
    for (unsigned count = 1 + below(3); count > 0; --count) {
      starts.emplace_back(isoenv_words(up_of_some(std::to_string(owner.pid()))), options());
    }
    do_something_bad();
    do_something_bad();
    owner.send_signal(SIGKILL);
    expect_end(owner);
    for (Process& start : starts) expect_end(start);
  }

  void run_for_a_while() {
    Process running(isoenv_words(run_of_some()), options());
    do_something_bad();
    running.send_signal(one_of(std::array{SIGKILL, SIGTERM, SIGINT}));
    expect_end(running);
  }

  void ctest() {
    if (!fs::exists(dir() / "build")) configure_ctest();
    for (const char* held : {"hold", "hold.own", "hold.alone"}) fs::remove(dir() / held);
    const std::string jobs = std::to_string(1 + below(8));
    say("start ctest -j " + jobs);
    ProcessOptions in_build = options();
    in_build.directory = dir() / "build";
    Process tests({ISOENV_CTEST, "-j", jobs, "--timeout", "60"}, in_build);
    do_something_bad();
    if (below(2) == 0) do_something_bad();
    const int signal = one_of(std::array{SIGKILL, SIGTERM, SIGINT, SIGHUP});
    say("signal " + std::to_string(signal) + " to ctest");
    tests.send_signal(signal);
    expect_end(tests);
    let_go_of_what_another_ctest_got();
  }

  /// Where ctest runs this very test, what had not yet looked for its own ctest, or for the leader
  /// of its terminal's session, finds that one, and would live as long.
  void let_go_of_what_another_ctest_got() {
    if (std::getenv("CTEST_INTERACTIVE_DEBUG_MODE") == nullptr) return;
    for (const LivingProcess& process : victims()) {
      if (process.name.starts_with("isoenv")) ::kill(process.pid, SIGTERM);
    }
  }

  void configure_ctest() {
    const std::string hold = dir() / "hold";
    ASSERT_THAT(
        run({ISOENV_CMAKE, "-S", ISOENV_SOURCE_DIR "/tests/cmake/stack", "-B", dir() / "build",
             "-G", ISOENV_GENERATOR, "-DCMAKE_MAKE_PROGRAM=" ISOENV_MAKE_PROGRAM,
             "-DMODULE=" ISOENV_SOURCE_DIR "/cmake/IsoEnv.cmake",
             "-DISOENV_EXECUTABLE=" ISOENV_EXECUTABLE,
             "-DTEST_SERVICE=" ISOENV_TEST_SERVICE_DIR "/test_service", "-DOWN=2", "-DDOWN=1",
             "-DHOLD=" + hold},
            options()),
        ExitedWith(0));
  }

  /// An instance of a terminal's session, whose window is closed.
  void terminal() {
    UniqueFd window(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_EQ(::grantpt(*window), 0);
    ASSERT_EQ(::unlockpt(*window), 0);
    const std::string name = ::ptsname(*window);
    std::string up_words;
    for (const std::string& word : isoenv_words(up_of_some("auto"))) up_words += " '" + word + "'";
    const std::string last = below(2) == 0 ? "exec -f '" + spec_.string() + "' --" : "run --";
    ProcessOptions leader = options();
    leader.new_session = true;
    Process shell({"sh", "-c",
                   "exec <" + name + " >" + name + " 2>&1;" + up_words +
                       "; '" ISOENV_EXECUTABLE "' " + last + " test_service waits; wait"},
                  leader);
    do_something_bad();
    say("close the terminal");
    window.reset();
    let_some_time_pass();
    shell.send_signal(SIGKILL);
    expect_end(shell);
    let_go_of_what_another_ctest_got();
  }

  /// All that IsoEnv writes goes to a file system that is soon full.
  void full_disk() {
    const fs::path small = dir() / "small";
    fs::create_directories(small);
    const std::string size = std::to_string(4 * (1 + below(100))) + "k";
    ProcessOptions elsewhere = options();
    elsewhere.env["ISOENV_RUNTIME_DIR"] = small / "r";
    elsewhere.env["TMPDIR"] = small;
    Words words{"unshare", "--mount"};
    if (::geteuid() != 0) words = {"unshare", "--user", "--map-root-user", "--mount"};
    std::string run_words;
    for (std::string& word : run_of_some()) {
      run_words += " '" + (word == artefact_dir() ? (small / "a").string() : word) + "'";
    }
    words.insert(words.end(),
                 {"sh", "-c",
                  "mount -t tmpfs -o mode=700,size=" + size + " small '" + small.string() +
                      "' && exec '" ISOENV_EXECUTABLE "'" + run_words});
    say("on a file system of " + size + ":" + run_words);
    Process running(words, elsewhere);
    do_something_bad();
    running.send_signal(SIGTERM);
    let_some_time_pass();
    running.send_signal(SIGKILL);
    expect_end(running);
  }

#ifdef ISOENV_FAULT_INJECTION
  /// One to three calls fail in whatever is started.
  std::string some_faults() {
    static const std::array<const char*, 10> kErrors{"EPERM",   "EAGAIN", "EMFILE", "ENOMEM",
                                                     "EIO",     "ENOSPC", "EBUSY",  "EACCES",
                                                     "ENOBUFS", "EINTR"};
    std::string faults;
    for (unsigned count = below(3) + 1; count > 0; --count) {
      faults += (faults.empty() ? "" : ",") + std::string(one_of(kRoleNames)) + "." +
                one_of(kCallNames) + ":" + std::to_string(1 + below(20)) + ":" + one_of(kErrors);
    }
    return faults;
  }
#endif

  void live_one_round() {
#ifdef ISOENV_FAULT_INJECTION
    if (below(4) == 0) {
      options().env["ISOENV_FAULTS"] = some_faults();
      say("ISOENV_FAULTS=" + options().env["ISOENV_FAULTS"]);
    }
#endif
    switch (below(8)) {
      case 0:
      case 1:
        ctest();
        break;
      case 2:
        run_for_a_while();
        break;
      case 3:
        ups_at_once();
        break;
      case 4:
        terminal();
        break;
      case 5:
        full_disk();
        break;
      default:
        up_exec_down();
    }
    options().env.erase("ISOENV_FAULTS");
  }

  // ---- what must be so afterwards

  /// What is there that was not before the round, and the other way round.
  std::vector<std::string> differences() const {
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

  void expect_all_is_well() {
    EXPECT_TRUE(eventually([&] { return victims().empty(); }));
    EXPECT_THAT(isoenv({"run", "-f", spec_, "--artefacts", artefact_dir(), "--service", "deaf",
                        "--", "test_service", "tcp_ask", "any", "localhost", "80", "next"}),
                ExitedWith(0));
    std::vector<std::string> left;
    const bool tidy = eventually_within(milliseconds(3000), [&] {
      left = differences();
      return left.empty();
    });
    std::string text;
    for (const std::string& line : left) text += "  " + line + "\n";
    EXPECT_TRUE(tidy) << "left behind, or gone from the bystander:\n" << text;
    EXPECT_THAT(exec_in(bystander_spec_, {"tcp_ask", "any", "calm", "80", "x"}), ExitedWith(0));
    EXPECT_TRUE(eventually([&] { return descriptors_of(bystander_) == bystander_descriptors_; }))
        << "the bystander holds what it did not";
    expect_no_crash_in_the_logs();
  }

  template <typename Condition>
  static bool eventually_within(milliseconds patience, Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return true;
  }

  /// A keeper tells of its crash nowhere else.
  void expect_no_crash_in_the_logs() {
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

  fs::path spec_;
  fs::path bystander_spec_;
  pid_t bystander_ = 0;
  std::size_t bystander_descriptors_ = 0;
  std::vector<std::string> baseline_;
  std::string story_;
  std::mt19937 random_;
};

TEST_F(ChaosTest, LeavesNothingAndNobodyElseHarmed) {
  const unsigned first = number_from("ISOENV_TEST_SEED", std::random_device()() % 1'000'000);
  const unsigned rounds = number_from("ISOENV_TEST_ROUNDS", kRounds);
  std::cout << "ISOENV_TEST_SEED=" << first << " ISOENV_TEST_ROUNDS=" << rounds << std::endl;
  unsigned round = 0;
  for (; round < rounds && !HasFailure(); ++round) {
    random_.seed(first + round);
    story_.clear();
    live_one_round();
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
            << story_ << std::flush;
}

}  // namespace
}  // namespace isoenv::test
