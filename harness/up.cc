#include <fstream>
#include <iostream>
#include <string>

#include "env/timing.h"
#include "harness/artefacts.h"
#include "harness/command.h"
#include "harness/ctest_selection.h"
#include "harness/options.h"
#include "harness/session.h"
#include "harness/trace_file.h"

namespace isoenv {
namespace {

std::string owner_text(const Owner& owner) {
  switch (owner.kind) {
    case Owner::Kind::kNone:
      return "until 'isoenv down'";
    case Owner::Kind::kCtest:
      return "until ctest (pid " + std::to_string(owner.process.pid) + ") ends";
    case Owner::Kind::kTerminal:
      return "until 'isoenv down' or the end of the terminal session (" + owner.name + ", pid " +
             std::to_string(owner.process.pid) + ")";
    case Owner::Kind::kExplicit:
      return "until 'isoenv down' or the end of process " + std::to_string(owner.process.pid);
  }
  return "";
}

std::string old_spec_warning(const EnvironmentSpec& spec) {
  return "environment '" + spec.name + "' still runs with the old spec: '" + spec.file.string() +
         "' was edited since it came up; 'isoenv down' and 'isoenv up' again use the new one";
}

/// The services that the file names, a line each.
std::vector<std::string> read_names(const std::filesystem::path& file) {
  std::ifstream lines(file);
  if (!lines) {
    throw SystemError(errno, "open", file.string(), ExitCode::kUsage, "see --prestart FILE");
  }
  std::vector<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) names.push_back(line);
  }
  return names;
}

}  // namespace

int up_command(const std::vector<std::string>& arguments) {
  const Clock::TimePoint began = SteadyClock().now();
  const UpOptions options = parse_up(arguments);
  KeeperOptions keeper;
  keeper.spec = load_spec(options.file);
  const EnvironmentPlan plan = plan_spec(keeper.spec, {});
  find_services(plan, options.services);  // refuses bad input before anything
  find_services(plan, options.pause_before);
  std::vector<std::string> ahead;
  if (options.prestart) ahead = read_names(*options.prestart);
  find_services(plan, ahead);
  std::optional<TraceFile> trace;
  if (options.trace) trace.emplace(*options.trace);
  keeper.key = shared_key(keeper.spec.file, options.name, current_caller());
  keeper.isolation = choose_isolation(options.isolation);
  keeper.owner = find_owner(options.owner);
  const bool in_whole_run =
      keeper.owner.kind == Owner::Kind::kCtest && runs_all_tests(keeper.owner.process);
  if (!in_whole_run) ahead.clear();
  keeper.writes_trace = wants_trace();
  keeper.keeps_history = keeper.writes_trace;
  keeper.artefact_root = artefact_root(options.artefacts, keeper.spec.name, keeper.key.spec_file);

  const std::filesystem::path root = open_run_root();
  sweep_stale(root);
  const RunDirectory directory(root, instance_id(keeper.key));
  Request request{Request::Kind::kUp, options.services};
  request.pause_before = options.pause_before;
  request.ahead = std::move(ahead);
  request.timing = options.timing || trace;
  Joined joined = ask_or_start(directory, keeper, request);
  if (joined.answer.ending) joined.client.wait_for_end();
  UpReport report = up_report_from_json(joined.answer.report);
  if (joined.old_spec) report.warnings.push_back(old_spec_warning(keeper.spec));
  std::string timing_table;
  CommandPhases phases = joined.phases;
  phases.insert(phases.begin(), {"spec", began, phases.front().begin});
  if (trace) trace->write("up", phases, timing_from_json(joined.answer.timing));
  if (options.timing) {
    const Timing timing = timing_from_json(joined.answer.timing);
    report.timing = timing_report_json(timing, phases);
    timing_table = timing_text(timing, phases);
  }
  if (options.json) {
    std::cout << to_json(report) << std::endl;
    return static_cast<int>(report.failures.empty() ? ExitCode::kOk : ExitCode::kEnvironmentFailed);
  }
  for (const std::string& warning : report.warnings) {
    std::cerr << "isoenv up: warning: " << warning << std::endl;
  }
  if (joined.started && !report.refusal.empty()) {
    std::cout << "isoenv up: " << degraded_text(report.refusal) << std::endl;
  }
  if (!report.failures.empty()) {
    std::cout << timing_table;
    throw Error(up_text(report), ExitCode::kEnvironmentFailed);
  }
  if (!report.paused.empty()) {
    std::cout << "environment '" << report.environment << "' is partly up, "
              << owner_text(keeper.owner) << '\n'
              << paused_text(report) << timing_table << std::flush;
    return 0;
  }
  std::cout << "environment '" << report.environment << "' is up: " << report.wanted
            << (report.wanted == 1 ? " service" : " services")
            << (has_namespaces(report.rung) ? ", " : " without namespaces, ")
            << owner_text(keeper.owner) << '\n'
            << timing_table << std::flush;
  return 0;
}

}  // namespace isoenv
