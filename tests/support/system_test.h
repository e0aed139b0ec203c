// The ground a system test stands on: its own directories, the real `isoenv`, and a bare machine
// at the end.
//
// Every test gets a runtime directory, TMPDIR, HOME and artefact directory of its own, and finds
// `test_service` in PATH. TearDown holds the machine against what it was before the test. In a
// build with sanitizers, what they report in any isoenv of the test, a detached keeper too, fails
// it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/gate.h"
#include "support/leftovers.h"
#include "support/process.h"
#include "support/temp_dir.h"

namespace isoenv::test {

using Words = std::vector<std::string>;

class SystemTest : public ::testing::Test {
 protected:
  SystemTest();
  /// expect_nothing_left(), then kills what is left, so that the next test is not blamed for it;
  /// fails for every report of a sanitizer.
  void TearDown() override;

  const std::filesystem::path& dir() const { return dir_.path(); }
  std::filesystem::path runtime_dir() const { return dir() / "r"; }
  std::filesystem::path artefact_dir() const { return dir() / "artefacts"; }

  /// Writes `<file>` in dir(): the environment `lab` with these members, as in
  /// R"("services": {"echo": {"command": ["test_service", "tcp_echo", "*", "3000"]}})".
  std::filesystem::path write_spec(std::string_view members,
                                   const std::string& file = "lab.json") const;
  void write_file(const std::string& file, std::string_view text) const;
  std::string read_file(const std::filesystem::path& file) const;
  /// A gate in dir().
  Gate make_gate(const std::string& name = "gate") const { return Gate(dir() / name); }

  /// For every isoenv and every other program of the test; a test may change it.
  ProcessOptions& options() { return options_; }
  Outcome isoenv(const Words& words, const std::string& input = {}) const;
  Process start_isoenv(const Words& words) const;
  /// isoenv on a machine that refuses what `denials` name (support/deny/deny.cc).
  Outcome isoenv_under(const Words& denials, const Words& words) const;
  /// A test_service on the host, outside every instance.
  Outcome outside(const Words& words) const;

  /// `isoenv run -f SPEC -- test_service …`
  Outcome run_in(const std::filesystem::path& spec, const Words& behaviour) const;
  /// `isoenv up -f SPEC`, owned by this test unless `words` name another owner.
  Outcome up(const std::filesystem::path& spec, const Words& words = {}) const;
  Process start_up(const std::filesystem::path& spec, const Words& words = {}) const;
  Outcome down(const std::filesystem::path& spec, const Words& words = {}) const;
  /// `isoenv exec -f SPEC -- test_service …`
  Outcome exec_in(const std::filesystem::path& spec, const Words& behaviour) const;

  /// The host at which a command inside an instance reaches a service: its name, or the loopback
  /// when the tests run without namespaces.
  static std::string host(const std::string& service);

  /// Every process that this test has started, directly or not, and that still lives.
  std::vector<LivingProcess> processes() const;
  /// One of them by its name, once there is one; 0 when none comes.
  pid_t await_process(const std::string& name) const;
  /// What sanitizers had to report, each report once.
  std::vector<std::string> take_sanitizer_reports() const;
  /// The keeper of the only instance of this test, from the lease in runtime_dir().
  pid_t keeper() const;
  /// The name of its run directory.
  std::string instance_id() const;

  /// One line for each thing of this test that is on the machine now.
  std::vector<std::string> leftovers() const;
  /// No process, interface, route, rule, named namespace, mount, run directory, lease or temporary
  /// file of this test. The kernel tidies up in its own time: it has two seconds.
  void expect_nothing_left();
  /// What is killed at a bad moment leaves a run directory for the next isoenv to sweep. For tests
  /// that do that, before expect_nothing_left(): `isoenv gc`, which must succeed.
  void collect_garbage() const;

 private:
  std::filesystem::path lease_file() const;
  Words up_words(const std::filesystem::path& spec, const Words& words) const;

  TempDir dir_;
  ProcessOptions options_;
  HostState before_;
};

/// Tries until `condition` holds; false when it does not for kPatience.
template <typename Condition>
[[nodiscard]] bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

/// What is mounted over first of all in an instance; a minimal system has no /etc/hosts.
std::string first_name_file();

/// The values of the `key value` lines of `shows_environment`.
std::vector<std::string> values(const std::string& output, const std::string& key);
/// The only value; "" and a failed test when there is not exactly one.
std::string value(const std::string& output, const std::string& key);
/// The value of an environment variable as `shows_environment` tells it; "(not set)".
std::string variable(const std::string& output, const std::string& name);

MATCHER_P(ExitedWith, code, "exited with " + std::to_string(code)) {
  *result_listener << arg;
  return arg.exited_with(code);
}

}  // namespace isoenv::test
