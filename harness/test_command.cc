#include "harness/test_command.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "base/text.h"

namespace isoenv {
namespace {

constexpr std::array<std::string_view, 2> kSelectors = {"--gtest_filter=", "--test-case="};
constexpr std::size_t kLongest = 100;

bool fits_a_file_name(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '.' || letter == '-' ||
         letter == '_';
}

}  // namespace

bool only_lists(const std::vector<std::string>& command, const std::vector<std::string>& listing) {
  return std::find_first_of(command.begin() + 1, command.end(), listing.begin(), listing.end()) !=
         command.end();
}

std::string selected_test(const std::vector<std::string>& command) {
  for (const std::string& word : command) {
    for (const std::string_view selector : kSelectors) {
      if (word.rfind(selector, 0) == 0) return word.substr(selector.size());
    }
  }
  const auto plain = std::find_if(command.begin() + 1, command.end(), [](const std::string& word) {
    return !word.empty() && word.front() != '-';
  });
  if (plain != command.end()) return *plain;
  return command.front().substr(command.front().rfind('/') + 1);
}

std::string command_folder(const std::vector<std::string>& command) {
  std::string name = selected_test(command).substr(0, kLongest);
  std::replace_if(
      name.begin(), name.end(), [](char letter) { return !fits_a_file_name(letter); }, '_');
  if (name.empty() || name.front() == '.') name.insert(name.begin(), '_');
  std::string all;
  for (const std::string& word : command) all += word + '\0';
  return name + "-" + short_hash(all);
}

}  // namespace isoenv
