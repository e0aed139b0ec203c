// What one started service holds of the machine, in the order of acquisition.
//
// Owned by the real backend (linux_backend.h), and kept after the service's end for what is asked
// about it then. Decides nothing. One thread.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "plan/plan.h"
#include "process/output.h"
#include "process/probe_output.h"
#include "process/sandbox.h"
#include "ready/log_matcher.h"
#include "ready/notify_socket.h"

namespace isoenv {

struct RunningService {
  explicit RunningService(const ServicePlan& plan);

  void ask_again() const {
    if (wake) wake();
  }

  /// A regular expression can be too complex for a text: then the log probes are given up, and
  /// never the capture. Returns why, once.
  std::string match(const std::function<void()>& step);

  LogMatcher matcher;
  std::optional<OutputCapture> output;
  std::optional<ProbeOutput> probe_output;
  std::optional<Sandbox> sandbox;
  std::optional<NotifySocket> notify;
  std::function<void()> wake;  // asks the waiting probes again
  bool matcher_failed = false;
  bool prepared = false;  // its sandbox can be entered
  bool launched = false;
  bool stopping = false;
  bool paused = false;
  bool killed = false;  // by us, after its stop deadline
};

}  // namespace isoenv
