#include "harness/ctest_selection.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <iterator>
#include <string_view>

namespace isoenv {
namespace {

/// Words of ctest(1) that leave out no test and end no run before its time.
constexpr std::array<std::string_view, 14> kFlags = {"-V",
                                                     "-VV",
                                                     "--verbose",
                                                     "--extra-verbose",
                                                     "--debug",
                                                     "--progress",
                                                     "--output-on-failure",
                                                     "-Q",
                                                     "--quiet",
                                                     "--no-label-summary",
                                                     "--no-subproject-summary",
                                                     "--schedule-random",
                                                     "--force-new-ctest-process",
                                                     "--no-compress-output"};

/// The same, each with a value in the word that follows.
constexpr std::array<std::string_view, 18> kWithValue = {"-C",
                                                         "--build-config",
                                                         "--test-dir",
                                                         "--timeout",
                                                         "--interactive-debug-mode",
                                                         "--repeat",
                                                         "--repeat-until-fail",
                                                         "--test-load",
                                                         "--max-width",
                                                         "--no-tests",
                                                         "--output-junit",
                                                         "-O",
                                                         "--output-log",
                                                         "--test-output-size-passed",
                                                         "--test-output-size-failed",
                                                         "--test-output-truncation",
                                                         "--resource-spec-file",
                                                         "--http-header"};

template <typename Words>
bool contains(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return std::isdigit(c) != 0; });
}

bool is_test_step(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text == "test";
}

}  // namespace

bool runs_all_tests(const std::vector<std::string>& command_line) {
  if (command_line.empty()) return false;
  for (auto word = command_line.begin() + 1; word != command_line.end(); ++word) {
    const auto next = word + 1;
    const bool has_next = next != command_line.end();
    if (contains(kFlags, *word)) continue;
    if (*word == "-j" || *word == "--parallel") {
      if (has_next && is_number(*next)) ++word;  // else as many as it likes
      continue;
    }
    if (word->rfind("-j", 0) == 0 && is_number(std::string_view(*word).substr(2))) continue;
    if (word->rfind("--parallel=", 0) == 0) continue;
    const std::size_t equals = word->find('=');
    if (word->rfind("--", 0) == 0 && equals != std::string::npos &&
        contains(kWithValue, std::string_view(*word).substr(0, equals))) {
      continue;
    }
    if (!has_next) return false;
    const bool steps = *word == "-T" || *word == "--test-action";
    if (!contains(kWithValue, *word) && !(steps && is_test_step(*next))) return false;
    ++word;
  }
  return true;
}

bool runs_all_tests(const ProcessId& ctest) {
  std::ifstream file("/proc/" + std::to_string(ctest.pid) + "/cmdline", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.empty() || read_process(ctest.pid) != ctest) return false;
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\0', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return runs_all_tests(words);
}

}  // namespace isoenv
