#include "harness/annotations.h"

#include <cstdlib>
#include <string_view>

#include "base/printable.h"
#include "base/text.h"

namespace isoenv {
namespace {

bool is_set(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr && *value != '\0' && std::string_view(value) != "false";
}

/// As GitHub's runner reads workflow commands: `%`, line ends, and in a property `:` and `,` too.
std::string escaped(const std::string& text, bool property) {
  std::string result;
  for (const char letter : text) {
    switch (letter) {
      case '%':
        result += "%25";
        break;
      case '\r':
        result += "%0D";
        break;
      case '\n':
        result += "%0A";
        break;
      case ':':
      case ',':
        result += !property ? std::string(1, letter) : letter == ':' ? "%3A" : "%2C";
        break;
      default:
        result += letter;
    }
  }
  return result;
}

/// Every line printable, after `margin`.
std::string harmless(const std::string& text, const std::string& margin) {
  std::string result;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) end = text.size();
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    result += margin + printable(line, Colours::kDrop) + "\n";
    begin = end + 1;
  }
  return result;
}

/// What a service writes must never begin a line: there it could be a workflow command.
constexpr char kMargin[] = "| ";

}  // namespace

CiSystem ci_system() {
  if (is_set("GITHUB_ACTIONS")) return CiSystem::kGitHub;
  if (is_set("GITLAB_CI")) return CiSystem::kGitLab;
  return CiSystem::kNone;
}

std::string folded(CiSystem system, const std::string& headline, const std::string& text,
                   std::time_t now) {
  const std::string head = printable(headline, Colours::kDrop);
  if (system == CiSystem::kGitHub) {
    return "::group::" + escaped(head, false) + "\n" + harmless(text, kMargin) + "::endgroup::\n";
  }
  if (system == CiSystem::kGitLab) {
    const std::string mark = std::to_string(now) + ":isoenv_" + short_hash(headline);
    return "\x1b[0Ksection_start:" + mark + "[collapsed=true]\r\x1b[0K" + head + "\n" +
           harmless(text, kMargin) + "\x1b[0Ksection_end:" + mark + "\r\x1b[0K\n";
  }
  return "";
}

std::string error_mark(CiSystem system, const std::string& title, const std::string& text) {
  if (system != CiSystem::kGitHub) return "";
  std::string lines = harmless(text, "");
  if (!lines.empty()) lines.pop_back();
  return "::error title=" + escaped(printable(title, Colours::kDrop), true) +
         "::" + escaped(lines, false) + "\n";
}

}  // namespace isoenv
