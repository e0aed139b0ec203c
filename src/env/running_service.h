// What one started service holds of the machine, in the order of acquisition.
//
// Owned by the real backend (linux_backend.h), and kept after the service's end for what is asked
// about it then. Decides nothing. One thread.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "env/incident.h"
#include "env/site.h"
#include "plan/plan.h"
#include "process/output.h"
#include "process/probe_output.h"
#include "process/redactor.h"
#include "process/sandbox.h"
#include "ready/log_matcher.h"
#include "ready/notify_socket.h"
#include "ready/probe.h"
#include "ready/sanitizer_files.h"
#include "ready/sanitizer_watch.h"

namespace isoenv {

struct RunningService {
  RunningService(const ServicePlan& plan, SanitizerWatch::Listener sanitizers);

  void ask_again() const {
    if (wake) wake();
  }

  /// Takes in what the service has written so far.
  void catch_up() {
    if (output) output->catch_up();
    sanitizer_files.read();
  }

  /// A regular expression can be too complex for a text: then the log probes are given up, and
  /// never the capture. Returns why, once.
  std::string match(const std::function<void()>& step);

  LogMatcher matcher;
  SanitizerWatch sanitizers;
  SanitizerFiles sanitizer_files;
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

/// Adds every report of a sanitizer to the incidents of the service, with `log` as the place of the
/// whole, and tells it as an event.
SanitizerWatch::Listener tell_reports(Incidents& incidents, std::size_t service, std::string name,
                                      std::filesystem::path log,
                                      std::function<void(const std::string&)> event);

/// What the probes of a started service ask. `plan` and `site` outlive the context.
ProbeContext probe_context(const EnvironmentPlan& plan, std::size_t service, Site& site,
                           std::shared_ptr<const Secrets> secrets,
                           std::shared_ptr<RunningService> self);

}  // namespace isoenv
