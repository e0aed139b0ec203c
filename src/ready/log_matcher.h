// Finds log probes' patterns in captured output as it arrives, and keeps its tail for a diagnosis.
//
// Memory is bounded whatever the service writes: one line of at most 64 KiB while patterns are
// open, and the last 16 KiB of output. Without patterns, or once all have matched, a byte costs a
// copy and nothing else. Never reads or blocks; a match is remembered for good.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ready/pattern.h"

namespace isoenv {

class LogMatcher {
 public:
  /// `matched` is called at the end of a feed() or finish() in which a pattern first matched.
  /// Throws Error (usage) when a pattern is not a regular expression (Perl syntax).
  explicit LogMatcher(std::vector<std::string> patterns = {}, std::function<void()> matched = {});

  /// The next bytes of one stream. A line is tested when its newline arrives, without it and
  /// without a carriage return before it; of a line longer than 64 KiB only the first 64 KiB.
  void feed(std::string_view bytes);
  /// The stream has ended: a last line without a newline counts as well.
  void finish();

  /// False also for a pattern that was not given to the constructor.
  bool matches(std::string_view pattern) const noexcept;

  /// The last lines, oldest first, the unfinished one included. A line whose beginning was dropped
  /// starts with `…`.
  std::vector<std::string> last_lines(std::size_t count = 20) const;

 private:
  struct Search {
    Pattern pattern;
    bool matched = false;
  };

  bool take_lines(std::string_view bytes);
  bool test_line(std::string_view line);
  void keep_tail(std::string_view bytes);

  std::vector<Search> searches_;
  std::function<void()> matched_;
  std::size_t open_ = 0;   // searches without a match
  std::string line_;       // the beginning of the unfinished line, while searches are open
  std::string tail_;       // the last bytes of output
  bool tail_cut_ = false;  // tail_ does not begin where a line does
};

}  // namespace isoenv
