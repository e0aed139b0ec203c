#include "harness/repeat_command.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <string_view>

#include "harness/owner.h"

namespace isoenv {
namespace {

/// Matches exactly this name (string(REGEX), which CTest's -R is).
std::string exactly(const std::string& name) {
  std::string expression = "^";
  for (const char letter : name) {
    if (std::string_view(".[]()*+?^$|\\").find(letter) != std::string_view::npos) {
      expression += '\\';
    }
    expression += letter;
  }
  return expression + "$";
}

void add_option(std::string& line, const std::string& option, const std::string& value) {
  line += " " + option + " " + shell_quoted(value);
}

}  // namespace

std::string shell_quoted(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("_-./=:,@%+").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain) return word;
  std::string quoted = "'";
  for (const char letter : word) {
    if (letter == '\'') {
      quoted += "'\\''";
    } else {
      quoted += letter;
    }
  }
  return quoted + "'";
}

std::string repeat_command(const RepeatedTest& test) {
  std::string line;
  if (!test.ctest_name.empty() && !test.ctest_folder.empty()) {
    line = "ctest";
    add_option(line, "--test-dir", test.ctest_folder);
    if (!test.ctest_configuration.empty()) add_option(line, "-C", test.ctest_configuration);
    add_option(line, "-R", exactly(test.ctest_name));
    return line + " --output-on-failure";
  }
  line = "cd " + shell_quoted(test.working_directory) + " && " + shell_quoted(test.isoenv) + " run";
  add_option(line, "--file", test.spec_file);
  for (const std::string& service : test.services) add_option(line, "--service", service);
  for (const std::string& fault : test.faults) add_option(line, "--fault", fault);
  for (const std::string& exit : test.tolerance.exit_texts()) {
    add_option(line, "--expect-exit", exit);
  }
  for (const std::string& service : test.tolerance.allow_failure) {
    add_option(line, "--allow-failure", service);
  }
  line += " --";
  for (const std::string& word : test.command) line += " " + shell_quoted(word);
  return line;
}

void find_ctest(RepeatedTest& test) {
  const std::optional<ProcessId> ctest = ctest_above();
  if (!ctest) return;
  const std::string process = "/proc/" + std::to_string(ctest->pid);
  std::error_code error;
  test.ctest_folder = std::filesystem::read_symlink(process + "/cwd", error);
  std::ifstream words(process + "/cmdline", std::ios::binary);
  bool is_value = false;
  for (std::string word; std::getline(words, word, '\0');) {
    if (is_value) test.ctest_configuration = word;
    is_value = word == "-C" || word == "--build-config";
  }
}

}  // namespace isoenv
