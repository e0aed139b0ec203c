#include "harness/test_run.h"

#include <csignal>
#include <iostream>
#include <utility>

#include "base/absolute_path.h"
#include "base/error.h"
#include "env/report.h"
#include "env/test_sessions.h"
#include "harness/failure_bundle.h"
#include "harness/session.h"
#include "harness/test_command.h"

namespace isoenv {

void tell_incidents(const std::vector<Incident>& incidents, bool command_passed) {
  if (incidents.empty()) return;
  std::cerr << (command_passed ? "isoenv: the test fails, although its command ended with 0:"
                               : "isoenv: what is more, its services failed:")
            << incidents_text(incidents) << std::flush;
}

namespace {

Answer must(std::optional<Answer> answer) {
  if (answer && answer->error) throw *answer->error;
  if (!answer || (answer->ending && answer->report.empty())) throw Error("the instance is ending");
  return std::move(*answer);
}

/// Why the session fails its test; empty: it does not.
std::vector<std::string> reasons_of(const SessionReport& report) {
  std::vector<std::string> reasons = report.failed;
  if (!report.failures.empty()) {
    reasons.push_back("what its faults have left cannot be undone" +
                      failures_text(report.failures));
  }
  for (const Incident& incident : report.incidents) {
    reasons.push_back("service '" + incident.service + "' " + incident.what);
  }
  return reasons;
}

void tell(const SessionReport& report, bool command_passed) {
  for (const std::string& warning : report.warnings) {
    std::cerr << "isoenv: warning: " << warning << std::endl;
  }
  SessionReport of_faults = report;
  of_faults.incidents.clear();
  for (const std::string& reason : reasons_of(of_faults)) {
    std::cerr << "isoenv: the test fails: " << reason << std::endl;
  }
  tell_incidents(report.incidents, command_passed);
}

bool is_failure(const ExitStatus& status) {
  const int code = status.shell_code();
  return code != 0 && code != static_cast<int>(ExitCode::kCannotRun) && status.signal != SIGINT;
}

/// Taken before anything of the caller's changes.
TestWitness make_witness(const TestRun& test, const std::string& name) {
  RepeatedTest repeated;
  repeated.ctest_name = test.ctest_name;
  repeated.spec_file = test.spec_file;
  repeated.working_directory = current_directory();
  repeated.services = test.services;
  repeated.faults = test.faults;
  repeated.tolerance = test.tolerance;
  repeated.command = test.command;
  return TestWitness(name, test.artefacts, std::move(repeated));
}

/// The answer's report, or "" where there is none: a bundle tells as much as it can.
std::string report_of(ControlClient& client, Request::Kind kind) {
  const std::optional<Answer> answer = client.ask({kind, {}});
  return answer && !answer->error ? answer->report : "";
}

std::string services_now(ControlClient& client) {
  const std::string report = report_of(client, Request::Kind::kPs);
  return report.empty() ? "" : statuses_text(statuses_from_json(report));
}

}  // namespace

int run_test(ControlClient& client, const Answer& joined, const TestRun& test, int owner) {
  Request begin;
  begin.kind = Request::Kind::kBegin;
  begin.services = test.services;
  const std::string name = test.ctest_name.empty() ? selected_test(test.command) : test.ctest_name;
  begin.test = name.substr(0, kLongestName);
  begin.faults = test.faults;
  begin.tolerance = test.tolerance;
  TestWitness witness = make_witness(test, name);
  const std::uint64_t session = must(client.ask(begin)).session;

  const ExitStatus status = run_inside(client, joined, test.command, session, owner);

  const bool failed = is_failure(status);
  // Before its faults are undone: they are part of what happened.
  std::string services = failed ? services_now(client) : "";
  Request end;
  end.kind = Request::Kind::kEnd;
  end.origin.session = session;
  end.origin.keep = test.ends_instance;
  end.failed = failed;
  const SessionReport report = session_report_from_json(must(client.ask(end)).report);
  tell(report, status.success());
  const std::vector<std::string> reasons = reasons_of(report);
  if (failed || !reasons.empty()) {
    if (services.empty()) services = services_now(client);
    witness.tell({status, reasons, report_of(client, Request::Kind::kPlan), std::move(services),
                  test.instance, joined.variables});
  }
  const int code = status.shell_code();
  if (code != 0 || reasons.empty()) return code;
  return static_cast<int>(ExitCode::kEnvironmentFailed);
}

}  // namespace isoenv
