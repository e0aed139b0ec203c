#include "harness/failure_bundle.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/printable.h"
#include "base/syscall.h"
#include "base/text.h"
#include "env/report.h"
#include "env/test_sessions.h"
#include "harness/annotations.h"
#include "harness/remove_tree.h"
#include "harness/test_command.h"
#include "process/redactor.h"

namespace isoenv {
namespace {

constexpr char kFolder[] = "failed_tests";  // no service can have this name
constexpr std::size_t kShownLines = 60;

std::string time_text(const char* form) {
  const std::time_t now = std::time(nullptr);
  std::tm parts = {};
  ::localtime_r(&now, &parts);
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), form, &parts)};
}

void write_text(const std::filesystem::path& file, const std::string& text) {
  std::ofstream stream(file, std::ios::binary);
  stream << text;
  stream.flush();
  if (!stream) throw_errno("write", file);
}

std::filesystem::path make_folder(const std::filesystem::path& parent, const std::string& name) {
  (void)!::mkdir(parent.c_str(), S_IRWXU | S_IRWXG | S_IRWXO);
  for (int attempt = 1;; ++attempt) {
    const std::filesystem::path folder =
        parent / (name + (attempt == 1 ? "" : "-" + std::to_string(attempt)));
    if (::mkdir(folder.c_str(), S_IRWXU | S_IRWXG | S_IRWXO) == 0) return folder;
    if (errno != EEXIST) throw_errno("create the directory", folder);
  }
}

/// The newest stay.
void drop_old(const std::filesystem::path& parent) {
  std::vector<std::pair<std::filesystem::file_time_type, std::string>> written;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(parent, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code gone;
    const auto time = std::filesystem::last_write_time(entry->path(), gone);
    if (!gone) written.emplace_back(time, entry->path().filename());
  }
  if (written.size() <= kKeptBundles) return;
  std::sort(written.rbegin(), written.rend());
  const UniqueFd folder(::open(parent.c_str(), O_DIRECTORY | O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) return;
  for (std::size_t i = kKeptBundles; i < written.size(); ++i) {
    (void)remove_tree(*folder, written[i].second);
  }
}

std::vector<std::string> secret_names(const std::string& plan) {
  std::set<std::string> names;
  const auto json = nlohmann::json::parse(plan, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("services")) return {};
  for (const auto& service : json.at("services")) {
    for (const auto& name : service.at("secret_env")) names.insert(name.get<std::string>());
  }
  return {names.begin(), names.end()};
}

bool sounds_secret(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  constexpr std::string_view kSigns[] = {"TOKEN",      "SECRET", "PASS",  "KEY",
                                         "CREDENTIAL", "AUTH",   "COOKIE"};
  return std::any_of(std::begin(kSigns), std::end(kSigns),
                     [&](std::string_view sign) { return name.find(sign) != std::string::npos; });
}

bool is_named(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The values that no text may show.
Secrets secrets_of(const Variables& variables, const std::vector<std::string>& names) {
  std::vector<std::string> values;
  for (const auto& [name, value] : variables) {
    if (is_named(names, name)) values.push_back(value);
  }
  return Secrets(values);
}

std::string text_of(const std::filesystem::path& file) {
  const std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::string indented(const std::string& paragraph) {
  std::string text;
  std::istringstream lines(paragraph);
  for (std::string line; std::getline(lines, line);) {
    text += line.empty() ? "\n" : "    " + line + "\n";
  }
  return text;
}

/// For somebody who did not see the test.
std::string readme(const TestFacts& facts, const std::filesystem::path& artefacts,
                   const TestFailure& failure, const Bundle& bundle, const Secrets& secrets,
                   const std::vector<std::string>& silent) {
  std::string command;
  for (const std::string& word : facts.repeated.command) {
    command += (command.empty() ? "" : " ") + shell_quoted(word);
  }
  std::string text = "Test '" + facts.name + "' failed: " + failure.what + ".\n\n";
  const bool at_its_services = failure.what.starts_with("its ");
  if (!failure.reasons.empty()) text += at_its_services ? "Why:\n\n" : "What is more:\n\n";
  for (const std::string& reason : failure.reasons) text += indented(reason) + "\n";
  text += "ended      " + time_text("%Y-%m-%d %H:%M:%S %z") + ", after " +
          exact_duration(failure.after) + "\ncommand    " + secrets.redact(command) +
          "\nrun in     " + facts.repeated.working_directory.string() + "\ninstance   " +
          failure.instance + " of " + facts.repeated.spec_file.string() + "\nall logs   " +
          artefacts.string() + "\n\nTo repeat this test alone (repeat.sh):\n\n    " +
          bundle.repeat + "\n\nServices when the test ended (ps.txt):\n\n" +
          indented(failure.services) +
          "\nWhat is here, all of it from the time of this test only:\n\n"
          "timeline.log     what all services wrote and what happened to them, in order of time\n"
          "events.log       of these the lines of IsoEnv: starts, readiness, faults, ends\n"
          "logs/            what each service wrote, byte for byte\n"
          "ps.txt           the services when the test ended\n"
          "plan.json        what was to run: addresses, ports, variables, probes\n"
          "environment.txt  the variables that the test got; *** stands for secrets\n"
          "repeat.sh        the command above\n\n";
  if (!silent.empty()) text += "Nothing was written by: " + join(silent, ", ") + ".\n";
  return text +
         "What the test itself wrote is where its output went: under ctest, in\n"
         "Testing/Temporary/LastTest.log of the build tree. Tests that ran at the same time in "
         "the\n"
         "same instance share its services; what those did for them stands here too.\n";
}

}  // namespace

std::string environment_text(const Variables& variables, const std::vector<std::string>& secrets) {
  const Secrets masked = secrets_of(variables, secrets);
  std::map<std::string, std::string> lines;  // the last value of a name counts
  for (const auto& [name, value] : variables) {
    const bool hidden = is_named(secrets, name) || sounds_secret(name);
    lines[name] = hidden ? "***" : printable(masked.redact(value), Colours::kDrop);
  }
  std::string text;
  for (const auto& [name, value] : lines) text += name + "=" + value + "\n";
  return text;
}

std::vector<std::string> reasons_of(const std::vector<Incident>& incidents) {
  std::vector<std::string> reasons;
  for (const Incident& incident : incidents) {
    std::string text = incidents_text({incident});  // begins with an empty line
    reasons.push_back(text.substr(1, text.size() - 2));
  }
  return reasons;
}

std::vector<std::string> reasons_of(const SessionReport& report) {
  std::vector<std::string> reasons = report.failed;
  if (!report.failures.empty()) {
    reasons.push_back("what its faults have left cannot be undone" +
                      failures_text(report.failures));
  }
  for (std::string& reason : reasons_of(report.incidents)) reasons.push_back(std::move(reason));
  return reasons;
}

Bundle write_bundle(const TestFacts& facts, const LogSlices& logs, const TestFailure& failure) {
  const RepeatedTest& test = facts.repeated;
  const std::vector<std::string> hidden = secret_names(failure.plan);
  const Secrets secrets = secrets_of(facts.variables, hidden);
  Bundle bundle{
      facts.name, failure.what, failure.reasons, {}, secrets.redact(repeat_command(test))};
  const std::filesystem::path parent = logs.directory() / kFolder;
  std::vector<std::string> named = test.command;
  if (!test.ctest_name.empty() || named.empty()) named = {facts.name};
  bundle.folder = make_folder(parent, time_text("%Y%m%d-%H%M%S-") + command_folder(named));

  const std::filesystem::path slices = bundle.folder / "logs";
  (void)!::mkdir(slices.c_str(), S_IRWXU | S_IRWXG | S_IRWXO);
  std::vector<std::string> silent;
  for (const std::string& service : logs.services()) {
    const std::string slice = logs.of(service);
    if (slice.empty()) {
      silent.push_back(service);
    } else {
      write_text(slices / (service + ".log"), slice);
    }
  }
  const std::string timeline = logs.of("isoenv");
  write_text(bundle.folder / "timeline.log", timeline);
  write_text(bundle.folder / "events.log", lines_of(timeline, "isoenv"));
  write_text(bundle.folder / "ps.txt", failure.services);
  write_text(bundle.folder / "plan.json", failure.plan);
  write_text(bundle.folder / "environment.txt", environment_text(facts.variables, hidden));
  const std::filesystem::path script = bundle.folder / "repeat.sh";
  write_text(script, "#!/bin/sh\n" + bundle.repeat + "\n");
  (void)!::chmod(script.c_str(), S_IRWXU | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH);
  write_text(bundle.folder / "README.txt",
             readme(facts, logs.directory(), failure, bundle, secrets, silent));
  drop_old(parent);
  return bundle;
}

void tell_bundle(const Bundle& bundle) {
  const CiSystem system = ci_system();
  std::string timeline;
  if (system != CiSystem::kNone) timeline = text_of(bundle.folder / "timeline.log");
  const std::string readme = (bundle.folder / "README.txt").string();
  std::cerr << "isoenv: test '" << bundle.test << "' failed (" << bundle.what
            << "); what its services did meanwhile: " << readme
            << "\nisoenv: to repeat it alone: " << bundle.repeat << '\n'
            << folded(system, "what the services did while '" + bundle.test + "' ran",
                      last_lines_of(timeline, kShownLines), std::time(nullptr))
            << error_mark(system, "test '" + bundle.test + "' failed",
                          bundle.what + (bundle.reasons.empty() ? "" : "\n") +
                              join(bundle.reasons, "\n") + "\n" + readme)
            << std::flush;
}

}  // namespace isoenv
