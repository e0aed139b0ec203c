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
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/printable.h"
#include "base/syscall.h"
#include "base/text.h"
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

/// Names begin with the date and time: the newest stay.
void drop_old(const std::filesystem::path& parent) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(parent, error), end; !error && entry != end;
       entry.increment(error)) {
    names.push_back(entry->path().filename());
  }
  if (names.size() <= kKeptBundles) return;
  std::sort(names.rbegin(), names.rend());
  const UniqueFd folder(::open(parent.c_str(), O_DIRECTORY | O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) return;
  for (std::size_t i = kKeptBundles; i < names.size(); ++i) (void)remove_tree(*folder, names[i]);
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
  constexpr std::string_view kSigns[] = {"TOKEN", "SECRET", "PASS", "KEY",
                                         "CREDENTIAL", "AUTH", "COOKIE"};
  return std::any_of(std::begin(kSigns), std::end(kSigns), [&](std::string_view sign) {
    return name.find(sign) != std::string::npos;
  });
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

TestWitness::TestWitness(std::string name, std::filesystem::path artefacts, RepeatedTest test)
    : name_(std::move(name)),
      artefacts_(std::move(artefacts)),
      test_(std::move(test)),
      logs_(artefacts_),
      begin_(std::chrono::steady_clock::now()) {}

void TestWitness::tell(const Failure& failure) {
  Variables given = own_environment();
  given.insert(given.end(), failure.variables.begin(), failure.variables.end());
  const Secrets secrets = secrets_of(given, secret_names(failure.plan));
  std::error_code unknown;
  test_.isoenv = std::filesystem::read_symlink("/proc/self/exe", unknown);
  find_ctest(test_);
  const std::string repeat = secrets.redact(repeat_command(test_));
  const std::string what = failure.status.describe();
  const CiSystem system = ci_system();
  try {
    const std::string timeline = logs_.of("isoenv");
    const std::filesystem::path bundle = write(failure, timeline, repeat);
    const std::string readme = (bundle / "README.txt").string();
    std::cerr << "isoenv: test '" << name_ << "' failed (" << what
              << "); what its services did meanwhile: " << readme
              << "\nisoenv: to repeat it alone: " << repeat << '\n'
              << folded(system, "what the services did while '" + name_ + "' ran",
                        last_lines_of(timeline, kShownLines), std::time(nullptr))
              << error_mark(system, "test '" + name_ + "' failed",
                            what + (failure.reasons.empty() ? "" : "\n") +
                                join(failure.reasons, "\n") + "\n" + readme)
              << std::flush;
  } catch (const Error& error) {
    std::cerr << "isoenv: warning: what the services did while '" << name_
              << "' ran cannot be kept: " << error.what() << std::endl;
  }
}

std::filesystem::path TestWitness::write(const Failure& failure, const std::string& timeline,
                                         const std::string& repeat) {
  const std::filesystem::path parent = artefacts_ / kFolder;
  std::vector<std::string> named = test_.command;
  if (!test_.ctest_name.empty()) named = {test_.ctest_name};
  const std::filesystem::path bundle =
      make_folder(parent, time_text("%Y%m%d-%H%M%S-") + command_folder(named));
  Variables given = own_environment();
  given.insert(given.end(), failure.variables.begin(), failure.variables.end());
  const std::vector<std::string> hidden = secret_names(failure.plan);
  const Secrets secrets = secrets_of(given, hidden);

  const std::filesystem::path logs = bundle / "logs";
  (void)!::mkdir(logs.c_str(), S_IRWXU | S_IRWXG | S_IRWXO);
  std::vector<std::string> silent;
  for (const std::string& service : logs_.services()) {
    const std::string slice = logs_.of(service);
    if (slice.empty()) {
      silent.push_back(service);
    } else {
      write_text(logs / (service + ".log"), slice);
    }
  }
  write_text(bundle / "timeline.log", timeline);
  write_text(bundle / "events.log", lines_of(timeline, "isoenv"));
  write_text(bundle / "ps.txt", failure.services);
  write_text(bundle / "plan.json", failure.plan);
  write_text(bundle / "environment.txt", environment_text(given, hidden));
  write_text(bundle / "repeat.sh", "#!/bin/sh\n" + repeat + "\n");
  (void)!::chmod((bundle / "repeat.sh").c_str(), S_IRWXU | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH);

  std::string command;
  for (const std::string& word : test_.command) {
    command += (command.empty() ? "" : " ") + shell_quoted(word);
  }
  std::string text = "Test '" + name_ + "' failed: " + failure.status.describe() + ".\n\n";
  for (const std::string& reason : failure.reasons) text += "  " + reason + "\n";
  if (!failure.reasons.empty()) text += "\n";
  text += "ended      " + time_text("%Y-%m-%d %H:%M:%S %z") + ", after " +
          exact_duration(std::chrono::steady_clock::now() - begin_) +
          "\ncommand    " + secrets.redact(command) +
          "\nrun in     " + test_.working_directory.string() +
          "\ninstance   " + failure.instance + " of " + test_.spec_file.string() +
          "\nall logs   " + artefacts_.string() +
          "\n\nTo repeat this test alone (repeat.sh):\n\n    " + repeat +
          "\n\nServices when the test ended (ps.txt):\n\n" + failure.services +
          "\nWhat is here, all of it from the time of this test only:\n\n"
          "timeline.log     what all services wrote and what happened to them, in order of time\n"
          "events.log       of these the lines of IsoEnv: starts, readiness, faults, ends\n"
          "logs/            what each service wrote, byte for byte\n"
          "ps.txt           the services when the test ended\n"
          "plan.json        what was to run: addresses, ports, variables, probes\n"
          "environment.txt  the variables that the test got; *** stands for secrets\n"
          "repeat.sh        the command above\n\n";
  if (!silent.empty()) text += "Nothing was written by: " + join(silent, ", ") + ".\n";
  text += "What the test itself wrote is where its output went: under ctest, in\n"
          "Testing/Temporary/LastTest.log of the build tree. Tests that ran at the same time in the\n"
          "same instance share its services; what those did for them stands here too.\n";
  write_text(bundle / "README.txt", text);
  drop_old(parent);
  return bundle;
}

}  // namespace isoenv
