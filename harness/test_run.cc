#include "harness/test_run.h"

#include <iostream>

#include "base/error.h"
#include "env/report.h"
#include "env/test_sessions.h"
#include "harness/session.h"
#include "harness/test_command.h"

namespace isoenv {
namespace {

Answer must(std::optional<Answer> answer) {
  if (answer && answer->error) throw *answer->error;
  if (!answer || (answer->ending && answer->report.empty())) throw Error("the instance is ending");
  return std::move(*answer);
}

/// True when nothing of it fails the test.
bool tell(const SessionReport& report) {
  for (const std::string& warning : report.warnings) {
    std::cerr << "isoenv: warning: " << warning << std::endl;
  }
  for (const std::string& failed : report.failed) {
    std::cerr << "isoenv: the test fails: " << failed << std::endl;
  }
  if (!report.failures.empty()) {
    std::cerr << "isoenv: the test fails: what its faults have left cannot be undone"
              << failures_text(report.failures) << std::endl;
  }
  return report.failed.empty() && report.failures.empty();
}

}  // namespace

int run_test(ControlClient& client, const Answer& joined, const TestRun& test, int owner) {
  Request begin;
  begin.kind = Request::Kind::kBegin;
  begin.services = test.services;
  begin.test = selected_test(test.command).substr(0, kLongestName);
  begin.faults = test.faults;
  const std::uint64_t session = must(client.ask(begin)).session;

  const ExitStatus status = run_inside(client, joined, test.command, session, owner);

  Request end;
  end.kind = Request::Kind::kEnd;
  end.origin.session = session;
  end.origin.keep = test.ends_instance;
  const SessionReport report = session_report_from_json(must(client.ask(end)).report);
  const bool passed = tell(report);
  const int code = status.shell_code();
  if (code != 0 || passed) return code;
  return static_cast<int>(ExitCode::kEnvironmentFailed);
}

}  // namespace isoenv
