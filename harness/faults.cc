// `stop`, `start`, `restart`, `kill`, `pause` and `resume`: what is done to services on purpose.
#include <unistd.h>

#include <iostream>

#include "env/fault.h"
#include "harness/command.h"
#include "harness/instances.h"
#include "harness/options.h"
#include "harness/session.h"

namespace isoenv {
namespace {

int act(FaultKind kind, const std::vector<std::string>& arguments) {
  const std::string command = fault_name(kind);
  const FaultOptions options = parse_fault_command(command, arguments);
  Request request;
  request.kind = Request::Kind::kFault;
  request.services = options.services;
  request.fault = kind;
  if (!options.signal.empty()) request.signal = parse_signal(options.signal);
  request.origin.by = "isoenv " + command + ", pid " + std::to_string(::getpid());

  // Inside a test its end undoes the fault, unless told otherwise.
  Reached reached = reach_instance({options.file, options.name});
  request.origin.session = surrounding_session(reached.instance.directory);
  request.origin.keep = options.keep;
  const std::optional<Answer> answer = reached.client.ask(request);
  if (answer && answer->error) throw *answer->error;
  if (!answer || answer->report.empty()) throw Error("the instance has just ended");
  const FaultReport report = fault_report_from_json(answer->report);
  std::cout << (options.json ? answer->report + "\n" : effects_text(report)) << std::flush;
  if (report.failures.empty()) return static_cast<int>(ExitCode::kOk);
  if (options.json) return static_cast<int>(ExitCode::kEnvironmentFailed);
  throw Error("not all services are as they should be\n" + failures_text(report.failures),
              ExitCode::kEnvironmentFailed);
}

}  // namespace

int stop_command(const std::vector<std::string>& arguments) {
  return act(FaultKind::kStop, arguments);
}

int start_command(const std::vector<std::string>& arguments) {
  return act(FaultKind::kStart, arguments);
}

int restart_command(const std::vector<std::string>& arguments) {
  return act(FaultKind::kRestart, arguments);
}

int kill_command(const std::vector<std::string>& arguments) {
  return act(FaultKind::kKill, arguments);
}

int pause_command(const std::vector<std::string>& arguments) {
  return act(FaultKind::kPause, arguments);
}

int resume_command(const std::vector<std::string>& arguments) {
  return act(FaultKind::kResume, arguments);
}

}  // namespace isoenv
