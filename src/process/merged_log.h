// The log of a whole instance: the lines of all its services in the order in which they came.
//
// Holds whole lines only, each `HH:MM:SS.uuuuuu name | text`, written with one write(2) a chunk to
// a descriptor in append mode, so lines of different services never mix. A line longer than
// kLongestLine is cut into several, each but the last with kCut at its end. A service's share may
// be limited: beyond it its lines are left out, which a line of IsoEnv's own says, and the lines of
// others stay. What cannot be written is lost and told, as in log_file.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "process/log_file.h"

namespace isoenv {

class MergedLog {
 public:
  static constexpr std::size_t kLongestLine = 64 * 1024;
  static constexpr std::string_view kCut = " [isoenv: this line is cut here and goes on below]";

  /// Creates or continues `file`. Names are padded to `name_width` columns. Throws SystemError.
  MergedLog(const std::filesystem::path& file, std::size_t name_width);

  /// What `name` may add in all; the first call counts. `elsewhere` is where people find the rest.
  void limit(const std::string& name, std::uint64_t bytes, const std::string& elsewhere);

  /// Adds the whole lines of `chunk` and keeps the rest for later.
  void append(const std::string& name, std::string_view chunk);
  /// Ends an unfinished line, and says what of the name's lines is left out or lost.
  void finish(const std::string& name);
  /// Adds a line of IsoEnv's own.
  void event(std::string_view text);

 private:
  struct Writer {
    std::string name;
    std::string elsewhere;
    std::string unfinished;
    std::uint64_t room = UINT64_MAX;  // bytes that may still be added
    bool full = false;
    std::uint64_t left_out_lines = 0;  // since the last finish()
    std::uint64_t left_out_bytes = 0;
  };

  void add_line(const std::string& prefix, Writer& writer, std::string_view line,
                std::string_view mark);
  void flush();

  LogFile file_;
  std::size_t name_width_;
  std::map<std::string, Writer, std::less<>> writers_;
  std::string text_;  // lines to be written at once
};

}  // namespace isoenv
