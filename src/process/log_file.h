// A log file that never stops who writes it, never grows past its limit, and says what it lacks.
//
// What cannot be written (a full disk, a quota, a limit of file sizes) is lost and counted; a
// remark with the count stands before the next text that can be written. A file that reaches half
// its limit becomes `<name>.old.log`, in the place of an earlier one, and begins anew with a
// remark: the newest text is what is kept. Blocks no longer than write(2) on a file does; throws
// only when made.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace isoenv {

class LogFile {
 public:
  struct Options {
    std::uint64_t limit = 0;   ///< bytes, of the file and the one before it together; 0: none
    bool whole_lines = false;  ///< a line is written whole or not at all
    /// The file is opened, and made, when there is something to write: creating files is a good
    /// part of what starting a service costs. A file that cannot be opened is as one that is full.
    bool at_first_byte = false;
    /// Makes lines of the log's own form of a remark. By default `[isoenv: <remark>]`.
    std::function<std::string(const std::string& remark)> form;
    /// Told when text begins to get lost, and when it can be written again.
    std::function<void(const std::string& news)> tell;
  };

  /// Creates or continues `file`, which ends in `.log`. Throws SystemError, with `at_first_byte`
  /// none.
  LogFile(std::filesystem::path file, Options options);

  void append(std::string_view text);
  /// The writer is done: says what of its text is lost, if that can be written.
  void finish();

  /// `1234 bytes are lost: ENOSPC (No space left on device)` since the file was opened; "": none.
  std::string losses() const;

 private:
  std::string remark(const std::string& text) const;
  std::string loss_remark() const;
  void write(std::string_view text);
  int open() noexcept;
  void lose(std::uint64_t bytes, int error);
  void lose_and_tell(std::uint64_t bytes, int error);
  bool recover(std::string_view text);
  void begin_anew();

  std::filesystem::path file_path_;
  Options options_;
  UniqueFd file_;
  std::uint64_t size_ = 0;      // of the file
  std::uint64_t old_size_ = 0;  // of the one before it
  std::uint64_t dropped_ = 0;   // bytes given up for the limit, in all
  bool line_ended_ = true;      // the file does not end inside a line
  std::uint64_t untold_ = 0;    // bytes lost since the last remark
  std::uint64_t lost_ = 0;      // bytes lost in all
  int error_ = 0;               // why, the last time
};

}  // namespace isoenv
