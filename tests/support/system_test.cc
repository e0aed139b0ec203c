#include "support/system_test.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

namespace isoenv::test {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kTidyUp{2};
constexpr std::chrono::milliseconds kLookAgain{10};

/// The sanitizers' options of this program, and: write to files, and take note of crashes even
/// where signals are set back to their defaults.
std::string sanitizer_options(const char* variable, const fs::path& reports) {
  const char* const given = std::getenv(variable);
  const std::string before = given == nullptr ? "" : std::string(given) + ":";
  return before + "log_path=" + (reports / "report").string() +
         ":handle_segv=2:handle_sigbus=2:handle_sigfpe=2:handle_sigill=2:handle_abort=2";
}

Words joined(Words first, const Words& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace

SystemTest::SystemTest() {
  const char* path = std::getenv("PATH");
  options_.env = {{"PATH", ISOENV_TEST_SERVICE_DIR ":" + std::string(path == nullptr ? "" : path)},
                  {"HOME", dir() / "home"},
                  {"TMPDIR", dir() / "tmp"},
                  {"XDG_STATE_HOME", dir() / "state"},
                  {"ISOENV_RUNTIME_DIR", runtime_dir()},
                  {"ASAN_OPTIONS", sanitizer_options("ASAN_OPTIONS", dir() / "reports")},
                  {"UBSAN_OPTIONS", sanitizer_options("UBSAN_OPTIONS", dir() / "reports")}};
  options_.unset = {"ISOENV_INSTANCE", "SERVICE_NAME", "PORT", "NOTIFY_SOCKET"};
  for (const char* name : {"home", "tmp", "state", "r", "reports"}) {
    fs::create_directory(dir() / name);
    fs::permissions(dir() / name, fs::perms::owner_all);
  }
  before_ = HostState::now();
}

void SystemTest::TearDown() {
  expect_nothing_left();
  for (const LivingProcess& process : processes()) ::kill(process.pid, SIGKILL);
  for (const std::string& report : take_sanitizer_reports()) ADD_FAILURE() << report;
}

std::vector<std::string> SystemTest::take_sanitizer_reports() const {
  std::vector<std::string> reports;
  for (const auto& entry : fs::directory_iterator(dir() / "reports")) {
    reports.push_back(entry.path().filename().string() + ":\n" + read_file(entry.path()));
    fs::remove(entry.path());
  }
  return reports;
}

fs::path SystemTest::write_spec(std::string_view members, const std::string& file) const {
  const std::string text = R"({"version": 1, "environment": "lab", )" + std::string(members) + "}";
  write_file(file, text);
  return dir() / file;
}

void SystemTest::write_file(const std::string& file, std::string_view text) const {
  std::ofstream(dir() / file) << text;
}

std::string SystemTest::read_file(const fs::path& file) const {
  std::ifstream stream(file);
  if (!stream) ADD_FAILURE() << "there is no file '" << file.string() << "'";
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

Outcome SystemTest::isoenv(const Words& words, const std::string& input) const {
  return run(joined({ISOENV_EXECUTABLE}, words), options_, input);
}

Outcome SystemTest::isoenv_under(const Words& denials, const Words& words) const {
  return run(joined(joined({ISOENV_DENY}, denials), joined({"--", ISOENV_EXECUTABLE}, words)),
             options_);
}

Process SystemTest::start_isoenv(const Words& words) const {
  return Process(joined({ISOENV_EXECUTABLE}, words), options_);
}

Outcome SystemTest::outside(const Words& words) const {
  return run(joined({"test_service"}, words), options_);
}

Outcome SystemTest::run_in(const fs::path& spec, const Words& behaviour) const {
  return isoenv(
      joined({"run", "-f", spec, "--artefacts", artefact_dir(), "--", "test_service"}, behaviour));
}

Words SystemTest::up_words(const fs::path& spec, const Words& words) const {
  Words all = {"up", "-f", spec, "--artefacts", artefact_dir()};
  if (std::find(words.begin(), words.end(), "--owner") == words.end()) {
    all = joined(all, {"--owner", std::to_string(::getpid())});
  }
  return joined(all, words);
}

Outcome SystemTest::up(const fs::path& spec, const Words& words) const {
  return isoenv(up_words(spec, words));
}

Process SystemTest::start_up(const fs::path& spec, const Words& words) const {
  return start_isoenv(up_words(spec, words));
}

Outcome SystemTest::down(const fs::path& spec, const Words& words) const {
  return isoenv(joined({"down", "-f", spec}, words));
}

Outcome SystemTest::exec_in(const fs::path& spec, const Words& behaviour) const {
  return isoenv(joined({"exec", "-f", spec, "--", "test_service"}, behaviour));
}

std::string SystemTest::host(const std::string& service) {
  const char* isolation = std::getenv("ISOENV_ISOLATION");
  return isolation == std::string("ports") ? "127.0.0.1" : service;
}

std::vector<LivingProcess> SystemTest::processes() const {
  std::vector<LivingProcess> all = descendants_of(::getppid());
  std::erase_if(all, [](const LivingProcess& process) { return process.pid == ::getpid(); });
  return all;
}

pid_t SystemTest::await_process(const std::string& name) const {
  pid_t found = 0;
  (void)eventually([&] {
    for (const LivingProcess& process : processes()) {
      if (process.name == name) found = process.pid;
    }
    return found != 0;
  });
  return found;
}

pid_t SystemTest::keeper() const {
  const fs::path lease = lease_file();
  if (lease.empty()) return 0;
  return nlohmann::json::parse(read_file(lease)).at("keeper").at("pid");
}

std::string SystemTest::instance_id() const { return lease_file().parent_path().filename(); }

fs::path SystemTest::lease_file() const {
  std::vector<fs::path> leases;
  for (const auto& entry : fs::recursive_directory_iterator(runtime_dir())) {
    if (entry.path().filename() == "lease") leases.push_back(entry.path());
  }
  if (leases.size() == 1) return leases[0];
  ADD_FAILURE() << "expected one lease, found " << leases.size();
  return {};
}

std::vector<std::string> SystemTest::leftovers() const {
  std::vector<std::string> lines = before_.differences_to(HostState::now());
  for (const LivingProcess& process : processes()) {
    lines.push_back("process " + std::to_string(process.pid) + " (parent " +
                    std::to_string(process.parent) + ", " + process.name +
                    "): " + process.command_line);
  }
  for (const std::string& socket : unix_sockets_with(dir())) lines.push_back("socket " + socket);
  for (const fs::path& directory : {runtime_dir(), dir() / "tmp"}) {
    std::error_code error;
    for (fs::recursive_directory_iterator entry(directory, error), end; !error && entry != end;
         entry.increment(error)) {
      lines.push_back("file " + entry->path().string());
    }
    // Something vanished while it was being listed: that has to be looked at again.
    if (error) lines.push_back("directory " + directory.string() + " is changing");
  }
  return lines;
}

void SystemTest::collect_garbage() const { EXPECT_THAT(isoenv({"gc"}), ExitedWith(0)); }

void SystemTest::expect_nothing_left() {
  const auto deadline = std::chrono::steady_clock::now() + kTidyUp;
  std::vector<std::string> left = leftovers();
  while (!left.empty() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(kLookAgain);
    left = leftovers();
  }
  std::string text;
  for (const std::string& line : left) text += "  " + line + "\n";
  EXPECT_TRUE(left.empty()) << "left behind:\n" << text;
}

std::string first_name_file() {
  return std::filesystem::exists("/etc/hosts") ? "/etc/hosts" : "/etc/resolv.conf";
}

std::vector<std::string> values(const std::string& output, const std::string& key) {
  std::vector<std::string> found;
  std::istringstream lines(output);
  std::string line;
  while (std::getline(lines, line)) {
    if (line.starts_with(key + " ")) found.push_back(line.substr(key.size() + 1));
  }
  return found;
}

std::string value(const std::string& output, const std::string& key) {
  const std::vector<std::string> found = values(output, key);
  EXPECT_EQ(found.size(), 1U) << "for '" << key << "' in\n" << output;
  return found.size() == 1 ? found[0] : "";
}

std::string variable(const std::string& output, const std::string& name) {
  for (const std::string& entry : values(output, "variable")) {
    if (entry.starts_with(name + "=")) return entry.substr(name.size() + 1);
  }
  return "(not set)";
}

}  // namespace isoenv::test
