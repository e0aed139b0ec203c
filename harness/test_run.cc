#include "harness/test_run.h"

#include <chrono>
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
TestFacts facts_of(const TestRun& test, const std::string& name, const Variables& variables) {
  TestFacts facts;
  facts.name = name;
  facts.repeated.ctest_name = test.ctest_name;
  std::error_code unknown;
  facts.repeated.isoenv = std::filesystem::read_symlink("/proc/self/exe", unknown);
  if (!test.ctest_name.empty()) find_ctest(facts.repeated);
  facts.repeated.spec_file = test.spec_file;
  facts.repeated.working_directory = current_directory();
  facts.repeated.services = test.services;
  facts.repeated.faults = test.faults;
  facts.repeated.tolerance = test.tolerance;
  facts.repeated.command = test.command;
  facts.variables = own_environment();
  facts.variables.insert(facts.variables.end(), variables.begin(), variables.end());
  facts.owns_instance = test.ends_instance;
  return facts;
}

/// A bundle tells as much as it can.
TestWitness ask_witness(ControlClient& client, std::uint64_t session) {
  Request request;
  request.kind = Request::Kind::kWitness;
  request.origin.session = session;
  const std::optional<Answer> answer = client.ask(request);
  return decode_witness(answer && !answer->error ? answer->witness : "");
}

void keep_bundle(const TestFacts& facts, const std::filesystem::path& artefacts,
                 const std::string& marks, const TestFailure& failure) {
  try {
    tell_bundle(write_bundle(facts, LogSlices(artefacts, marks), failure));
  } catch (const Error& error) {
    std::cerr << "isoenv: warning: what the services did while '" << facts.name
              << "' ran cannot be kept: " << error.what() << std::endl;
  }
}

/// In a word, why the test failed.
std::string what_failed(const ExitStatus& status, const SessionReport& report) {
  if (status.signal == SIGTERM) return status.describe() + ", as by ctest at a time-out";
  if (!status.success()) return status.describe();
  return report.incidents.empty() ? "its faults failed" : "its services failed";
}

}  // namespace

int run_test(ControlClient& client, const Answer& joined, const TestRun& test, int owner) {
  const auto began = std::chrono::steady_clock::now();
  Request begin;
  begin.kind = Request::Kind::kBegin;
  begin.services = test.services;
  const std::string name = test.ctest_name.empty() ? selected_test(test.command) : test.ctest_name;
  begin.test = name.substr(0, kLongestName);
  begin.faults = test.faults;
  begin.tolerance = test.tolerance;
  const TestFacts facts = facts_of(test, name, joined.variables);
  begin.facts = to_text(facts, kLongestFacts);
  const std::uint64_t session = must(client.ask(begin)).session;

  const ExitStatus status = run_inside(client, joined, test.command, session, owner);

  const bool failed = is_failure(status);
  const std::chrono::nanoseconds after = std::chrono::steady_clock::now() - began;
  // Before its faults are undone: they are part of what happened.
  TestWitness witness;
  if (failed) witness = ask_witness(client, session);
  Request end;
  end.kind = Request::Kind::kEnd;
  end.origin.session = session;
  end.origin.keep = test.ends_instance;
  end.failed = failed;
  const Answer ended = must(client.ask(end));
  const SessionReport report = session_report_from_json(ended.report);
  tell(report, status.success());
  const std::vector<std::string> reasons = reasons_of(report);
  if (failed || !reasons.empty()) {
    if (!failed) witness = decode_witness(ended.witness);
    keep_bundle(facts, test.artefacts, witness.marks,
                {what_failed(status, report), reasons, after, std::move(witness.plan),
                 std::move(witness.services), test.instance});
  }
  const int code = status.shell_code();
  if (code != 0 || reasons.empty()) return code;
  return static_cast<int>(ExitCode::kEnvironmentFailed);
}

}  // namespace isoenv
