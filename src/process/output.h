// Captured output: one raw log a service, and one merged log an instance.
//
// The merged log holds whole lines only, each `HH:MM:SS.uuuuuu name | text`, written with one
// write(2) a chunk to a descriptor in append mode, so lines of different services never mix. A
// line longer than kLongestLine is cut into several. Capture reads until the last writer is gone.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace isoenv {

class MergedLog {
 public:
  static constexpr std::size_t kLongestLine = 64 * 1024;

  /// Creates or continues `file`. Names are padded to `name_width` columns. Throws SystemError.
  MergedLog(const std::filesystem::path& file, std::size_t name_width);

  /// Adds the whole lines of `chunk` and keeps the rest for later.
  void append(const std::string& name, std::string_view chunk);
  /// Ends an unfinished line.
  void finish(const std::string& name);

 private:
  void format(std::string& text, const std::string& name, std::string_view line) const;
  void write(const std::string& text);

  UniqueFd file_;
  std::size_t name_width_;
  std::map<std::string, std::string> unfinished_;
};

class OutputCapture {
 public:
  using Sink = std::function<void(std::string_view)>;

  /// Reads the pipe `source` to its end; every chunk goes to the raw log `file` first, then to
  /// `sink`. Throws SystemError when the log cannot be created.
  OutputCapture(boost::asio::any_io_executor executor, UniqueFd source,
                const std::filesystem::path& file, Sink sink);
  ~OutputCapture();
  OutputCapture(OutputCapture&&) noexcept;
  OutputCapture& operator=(OutputCapture&&) noexcept;

  /// Returns when the last writer has closed the pipe and all was captured.
  boost::asio::awaitable<void> drained();
  /// Ends the capture although writers are left.
  void stop() noexcept;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace isoenv
