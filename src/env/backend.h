// The one seam between the life cycle and the machine: what environment.cc needs done to a service.
//
// Services are named by their index in the plan. Failures a service can cause are values. A fake
// drives every failure at every step in tests; linux_backend.h is the real one.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/exit_status.h"
#include "env/report.h"
#include "ready/wait_ready.h"

namespace isoenv {

struct Started {
  std::int64_t pid = 0;  ///< on the host, for messages; 0 when unknown
};

struct NotStarted {
  std::string reason;  ///< `no program 'ndoe' in PATH=…`
};

using StartOutcome = std::variant<Started, NotStarted>;

class Backend {
 public:
  virtual ~Backend() = default;

  /// Namespaces, link, output, then the program. On NotStarted nothing of it is left.
  virtual boost::asio::awaitable<StartOutcome> start(std::size_t service) = 0;

  /// The next start() ends with the service's process standing still, where it would execute the
  /// program.
  virtual void hold_next_start(std::size_t service) = 0;
  /// Lets it go on; a debugger may have done so before.
  virtual void release(std::size_t service) noexcept = 0;
  /// Until the held program is executed, or is not any more: why it could not be, if so.
  virtual boost::asio::awaitable<std::optional<NotStarted>> released(std::size_t service) = 0;

  /// Until the started service is ready, has ended, or its ready timeout is over.
  virtual boost::asio::awaitable<ReadyOutcome> wait_ready(std::size_t service) = 0;

  /// Until the started service has ended.
  virtual boost::asio::awaitable<ExitStatus> exited(std::size_t service) = 0;

  /// Stop signal, deadline, kill; returns when no process of the service is left and its output is
  /// captured. Fine at any time, also while start() or wait_ready() are under way: they then end.
  /// Never throws; problems go into `problems`.
  virtual boost::asio::awaitable<ServiceStop> stop(std::size_t service,
                                                   std::vector<std::string>& problems) noexcept = 0;

  /// Sends a signal to the started service's main process; nothing happens when that has ended.
  virtual void signal(std::size_t service, int number) noexcept = 0;
  /// After stop(): the service was taken down, and nothing of its place need stay for its peers.
  virtual void let_go(std::size_t service) noexcept = 0;

  /// Makes every process of the started service stand still (SIGSTOP); returns when all have been
  /// told. stop() lets them go on after its stop signal.
  virtual boost::asio::awaitable<void> pause(std::size_t service) = 0;

  /// Lets them go on (SIGCONT).
  virtual boost::asio::awaitable<void> resume(std::size_t service) = 0;

  /// True when the started service, with this pid, has ended or is about to, whether or not
  /// exited() knows.
  virtual bool is_ending(std::size_t service, std::int64_t pid) const noexcept = 0;

  /// Takes in what the services have written so far, so that it is known what they reported.
  virtual void catch_up() noexcept = 0;

  /// What is known for a failure report: last lines and the log's place.
  virtual ServiceFailure describe_failure(std::size_t service) = 0;

  /// A line for the merged log: `user: ready after 31 ms`.
  virtual void event(const std::string& text) = 0;
};

}  // namespace isoenv
