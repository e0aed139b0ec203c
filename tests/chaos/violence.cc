// What is done to a round's processes and files.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <system_error>

#include "chaos_test.h"

namespace isoenv::test {

namespace fs = std::filesystem;

std::vector<LivingProcess> ChaosTest::victims() const {
  std::vector<LivingProcess> all = processes();
  std::erase_if(all, [&](const LivingProcess& process) {
    return std::any_of(baseline_.begin(), baseline_.end(), [&](const std::string& line) {
      return line.starts_with("process " + std::to_string(process.pid) + " ");
    });
  });
  return all;
}

std::vector<LivingProcess> ChaosTest::players(const std::string& part) const {
  const std::vector<LivingProcess> all = victims();
  const auto is_keeper = [&](const LivingProcess& process) {
    return std::any_of(all.begin(), all.end(), [&](const LivingProcess& other) {
      return other.pid == process.parent && other.name == "isoenv-tidy";
    });
  };
  std::vector<LivingProcess> found = all;
  std::erase_if(found, [&](const LivingProcess& process) {
    if (part == "keeper") return !is_keeper(process);
    const bool command = process.name == "isoenv" && !is_keeper(process) &&
                         process.command_line.find("isoenv " + part + " ") != std::string::npos;
    return process.name != part && !command;
  });
  return found.empty() ? all : found;
}

void ChaosTest::signal_all(const std::vector<LivingProcess>& hit) {
  const int signal = one_of(std::array{SIGKILL, SIGKILL, SIGINT, SIGTERM, SIGHUP, SIGSTOP});
  for (const LivingProcess& process : hit) {
    say("signal " + std::to_string(signal) + " to " + std::to_string(process.pid) + " (" +
        process.name + ") " + process.command_line.substr(0, 120));
    ::kill(process.pid, signal);
  }
  if (signal != SIGSTOP) return;
  let_some_time_pass();
  for (const LivingProcess& process : hit) ::kill(process.pid, SIGKILL);
}

void ChaosTest::kill_some() {
  static const std::array<const char*, 12> kParts{
      "ctest",   "up",     "exec",        "run",           "down",        "restart",
      "keeper",  "isoenv", "isoenv-tidy", "isoenv-zygote", "isoenv-init", "test_service"};
  const std::vector<LivingProcess> candidates = players(one_of(kParts));
  if (candidates.empty()) return say("nobody is there");
  signal_all({one_of(candidates)});
}

void ChaosTest::kill_half() {
  std::vector<LivingProcess> half = victims();
  std::erase_if(half, [&](const LivingProcess&) { return one_in(2); });
  signal_all(half);
}

void ChaosTest::remove_run_directories() {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(runtime_dir(), ignored)) {
    const std::string line = "file " + entry.path().string();
    if (std::count(baseline_.begin(), baseline_.end(), line) > 0) continue;
    say("remove " + entry.path().string());
    fs::remove_all(entry.path(), ignored);
  }
}

void ChaosTest::remove_artefacts() {
  std::error_code ignored;
  for (const fs::path& folder : {artefact_dir(), dir() / "build" / "isoenv" / "stack"}) {
    say("remove " + folder.string());
    fs::remove_all(folder, ignored);
  }
}

void ChaosTest::do_something_bad() {
  let_some_time_pass();
  switch (below(12)) {
    case 0:
      return remove_run_directories();
    case 1:
      return remove_artefacts();
    case 2:
    case 3:
      // Without namespaces not all at the same instant can be survived (docs/design.md).
      return on_host_ ? kill_some() : kill_half();
    default:
      return kill_some();
  }
}

}  // namespace isoenv::test
