// Captured output: what a service writes goes to its own log, but for secrets, and to a sink.
//
// Reads until the last writer is gone; of one turn of the executor no more than a pipe's worth, so
// that a service that writes without end leaves all others their turns. Never blocks, and whatever
// the log cannot take (log_file.h), the writer goes on and the sink gets it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/unique_fd.h"
#include "process/log_file.h"
#include "process/redactor.h"

namespace isoenv {

class OutputCapture {
 public:
  using Sink = std::function<void(std::string_view)>;

  /// Reads the pipe `source` to its end; every chunk, without the secrets, goes to `log` first,
  /// then to `sink`. The beginning of what may be a secret waits for what comes next.
  OutputCapture(boost::asio::any_io_executor executor, UniqueFd source, LogFile log, Sink sink,
                std::shared_ptr<const Secrets> secrets = {});
  ~OutputCapture();
  OutputCapture(OutputCapture&&) noexcept;
  OutputCapture& operator=(OutputCapture&&) noexcept;

  /// Captures what has been written so far, at most 1 MiB of it. Never blocks.
  void catch_up();
  /// Returns when the last writer has closed the pipe and all was captured.
  boost::asio::awaitable<void> drained();
  bool is_drained() const noexcept;
  /// What its log lacks, or "" (LogFile::losses).
  std::string losses() const;
  /// Ends the capture although writers are left.
  void stop() noexcept;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace isoenv
