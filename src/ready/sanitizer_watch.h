// Finds the reports of sanitizers (ASan, LSan, MSan, TSan, UBSan) in captured output as it arrives.
//
// Memory is bounded whatever the service writes: one line of at most 4 KiB. Output without a report
// costs a search of each chunk for two words. A report is told line by line, so that one which has
// no end of its own, as UBSan's, or whose process goes on, is known at its first line. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace isoenv {

class SanitizerWatch {
 public:
  struct Listener {
    /// A report begins: `AddressSanitizer: heap-use-after-free on address …`, and its line.
    std::function<void(const std::string& title, const std::string& line)> begins;
    /// A further line of the report that has begun last, without its newline.
    std::function<void(const std::string& line)> goes_on;
  };

  explicit SanitizerWatch(Listener listener) : listener_(std::move(listener)) {}

  /// The next bytes of one stream.
  void feed(std::string_view bytes);
  /// The stream has ended: a last line without a newline counts as well.
  void finish();

 private:
  enum class Report {
    kNone,
    kWithSummary,  ///< it ends with a line `SUMMARY: …`
    kIndented,     ///< UBSan's: it ends where a line is neither indented nor empty
  };

  bool skip_what_holds_none(std::string_view& bytes);
  void take(std::string_view line);
  bool begin(std::string_view line);

  Listener listener_;
  Report report_ = Report::kNone;
  std::size_t lines_ = 0;  // of the report, so far
  std::string line_;       // the beginning of the unfinished line
};

}  // namespace isoenv
