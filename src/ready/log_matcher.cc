#include "ready/log_matcher.h"

#include <algorithm>
#include <utility>

namespace isoenv {
namespace {

constexpr std::size_t kMaxLine = 64 * 1024;
constexpr std::size_t kTail = 16 * 1024;

}  // namespace

LogMatcher::LogMatcher(std::vector<std::string> patterns, std::function<void()> matched)
    : matched_(std::move(matched)), open_(patterns.size()) {
  searches_.reserve(patterns.size());
  for (std::string& pattern : patterns) searches_.push_back({Pattern(std::move(pattern))});
}

void LogMatcher::feed(std::string_view bytes) {
  keep_tail(bytes);
  if (open_ != 0 && take_lines(bytes) && matched_) matched_();
}

void LogMatcher::finish() {
  const std::string line = std::exchange(line_, {});
  if (open_ != 0 && !line.empty() && test_line(line) && matched_) matched_();
}

bool LogMatcher::matches(std::string_view pattern) const noexcept {
  return std::any_of(searches_.begin(), searches_.end(), [&](const Search& search) {
    return search.matched && search.pattern.text() == pattern;
  });
}

std::vector<std::string> LogMatcher::last_lines(std::size_t count) const {
  std::vector<std::string> lines;
  std::string_view rest = tail_;
  if (rest.ends_with('\n')) rest.remove_suffix(1);
  bool more = !tail_.empty();
  while (more && lines.size() < count) {
    const std::size_t newline = rest.rfind('\n');
    more = newline != std::string_view::npos;
    std::string line(more ? rest.substr(newline + 1) : rest);
    if (line.ends_with('\r')) line.pop_back();
    if (!more && tail_cut_) line.insert(0, "…");
    lines.push_back(std::move(line));
    if (more) rest.remove_suffix(rest.size() - newline);
  }
  std::reverse(lines.begin(), lines.end());
  return lines;
}

/// True when a pattern matched for the first time.
bool LogMatcher::take_lines(std::string_view bytes) {
  bool matched = false;
  while (!bytes.empty() && open_ != 0) {
    const std::size_t newline = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, newline);
    const bool complete = newline != std::string_view::npos;
    if (complete && line_.empty()) {
      matched |= test_line(piece.substr(0, kMaxLine));  // the usual case, without a copy
    } else {
      line_ += piece.substr(0, kMaxLine - line_.size());
      if (complete) matched |= test_line(std::exchange(line_, {}));
    }
    if (!complete) break;
    bytes.remove_prefix(newline + 1);
  }
  return matched;
}

bool LogMatcher::test_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  bool matched = false;
  for (Search& search : searches_) {
    if (search.matched || !search.pattern.found_in(line)) continue;
    search.matched = true;
    --open_;
    matched = true;
  }
  return matched;
}

void LogMatcher::keep_tail(std::string_view bytes) {
  if (bytes.size() > kTail) {
    tail_.clear();
    tail_cut_ = true;
    bytes.remove_prefix(bytes.size() - kTail);
  }
  tail_ += bytes;
  if (tail_.size() > 2 * kTail) {
    const std::size_t dropped = tail_.size() - kTail;
    tail_cut_ = tail_[dropped - 1] != '\n';
    tail_.erase(0, dropped);
  }
}

}  // namespace isoenv
