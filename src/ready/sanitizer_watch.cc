#include "ready/sanitizer_watch.h"

#include <algorithm>
#include <cctype>

namespace isoenv {
namespace {

constexpr std::size_t kLongestLine = 4096;
constexpr std::size_t kMostLines = 200;

constexpr std::string_view kSanitizer = "Sanitizer";
constexpr std::string_view kRuntimeError = "runtime error: ";

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// `AddressSanitizer: …` of `==12==ERROR: AddressSanitizer: …` (sanitizer_common, Report()); ""
/// when it is no such line. TSan's begins with `WARNING: ThreadSanitizer: `, without a pid.
std::string_view summary_title(std::string_view line) {
  for (const std::string_view level : {"ERROR: ", "WARNING: "}) {
    const std::size_t at = line.find(level);
    if (at == std::string_view::npos) continue;
    const std::string_view title = line.substr(at + level.size());
    const std::size_t colon = title.find(": ");
    if (colon == std::string_view::npos) continue;
    const std::string_view name = title.substr(0, colon);
    const bool is_word =
        std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalpha(c) != 0; });
    if (is_word && name.size() > kSanitizer.size() && name.ends_with(kSanitizer)) return title;
  }
  return {};
}

/// Ends with `:12:5` or `:12`, as a place in a file does.
bool ends_with_place(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon + 1 == text.size()) return false;
  const std::string_view number = text.substr(colon + 1);
  return std::all_of(number.begin(), number.end(),
                     [](unsigned char c) { return std::isdigit(c) != 0; });
}

/// `signed integer overflow: …` of `file.cc:12:5: runtime error: signed integer overflow: …`
/// (ubsan_diag.cpp). A Go program's `panic: runtime error: …` has no place.
std::string_view ubsan_title(std::string_view line) {
  const std::size_t at = line.find(kRuntimeError);
  if (at == std::string_view::npos || at < 2 || line.substr(at - 2, 2) != ": ") return {};
  const std::string_view place = line.substr(0, at - 2);
  if (!place.ends_with("<unknown>") && !ends_with_place(place)) return {};
  return line.substr(at + kRuntimeError.size());
}

bool is_indented(std::string_view line) {
  return line.empty() || line.front() == ' ' || line.front() == '\t' || line.front() == '#' ||
         has(line, ": note: ");
}

}  // namespace

void SanitizerWatch::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    if (report_ == Report::kNone && line_.empty() && skip_what_holds_none(bytes)) return;
    const std::size_t newline = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, newline);
    line_ += piece.substr(0, kLongestLine - std::min(line_.size(), kLongestLine));
    if (newline == std::string_view::npos) return;
    take(line_);
    line_.clear();
    bytes.remove_prefix(newline + 1);
  }
}

/// Drops the lines before the next that may begin a report. True when there is none: then the
/// unfinished line is kept.
bool SanitizerWatch::skip_what_holds_none(std::string_view& bytes) {
  const std::size_t hit = std::min(bytes.find(kSanitizer), bytes.find(kRuntimeError));
  const std::size_t newline = bytes.rfind('\n', hit);
  if (newline != std::string_view::npos) bytes.remove_prefix(newline + 1);
  if (hit != std::string_view::npos) return false;
  line_ = bytes.substr(0, kLongestLine);
  return true;
}

void SanitizerWatch::finish() {
  if (!line_.empty()) take(line_);
  line_.clear();
  report_ = Report::kNone;
}

void SanitizerWatch::take(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (begin(line) || report_ == Report::kNone) return;
  const bool summary = line.starts_with("SUMMARY: ") && has(line, kSanitizer);
  if (report_ == Report::kIndented && !summary && !is_indented(line)) {
    report_ = Report::kNone;
    return;
  }
  if (++lines_ <= kMostLines) listener_.goes_on(std::string(line));
  if (summary || lines_ > kMostLines) report_ = Report::kNone;
}

bool SanitizerWatch::begin(std::string_view line) {
  const std::string_view title = summary_title(line);
  const std::string_view undefined = title.empty() ? ubsan_title(line) : std::string_view();
  if (title.empty() && undefined.empty()) return false;
  report_ = title.empty() ? Report::kIndented : Report::kWithSummary;
  lines_ = 1;
  listener_.begins(
      title.empty() ? "UndefinedBehaviorSanitizer: " + std::string(undefined) : std::string(title),
      std::string(line));
  return true;
}

}  // namespace isoenv
