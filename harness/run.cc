#include <unistd.h>

#include <iostream>

#include "env/test_sessions.h"
#include "env/timing.h"
#include "harness/artefacts.h"
#include "harness/command.h"
#include "harness/options.h"
#include "harness/session.h"
#include "harness/test_command.h"
#include "harness/test_run.h"
#include "harness/trace_file.h"

namespace isoenv {
namespace {

struct Ending {
  bool passed = true;  ///< no service has failed at its end
  std::string timing;  ///< JSON of env/timing.h, when asked for
};

/// Warnings about the end go to the standard error output: the command's own output stays alone.
Ending take_down(ControlClient& client, Request down, bool command_passed) {
  Ending ending;
  down.failed = !command_passed;
  const std::optional<Answer> answer = client.ask(down);
  if (answer) ending.timing = answer->timing;
  if (answer && !answer->report.empty()) {
    const DownReport report = down_report_from_json(answer->report);
    for (const ServiceStop& stop : report.stops) {
      if (stop.how != ServiceStop::How::kKilled) continue;
      std::cerr << "isoenv run: service '" << stop.service
                << "' did not stop in time and was killed\n";
    }
    for (const std::string& problem : report.problems)
      std::cerr << "isoenv run: " << problem << '\n';
    tell_incidents(report.incidents, command_passed);
    for (const Bundle& bundle : answer->bundles) tell_bundle(bundle);
    ending.passed = report.incidents.empty();
  }
  client.wait_for_end();
  return ending;
}

}  // namespace

int run_command(const std::vector<std::string>& arguments) {
  const Clock::TimePoint began = SteadyClock().now();
  const RunOptions options = parse_run(arguments);
  if (only_lists(options.command, options.listing)) run_outside(options.command);
  // A ctest that is killed leaves its tests as orphans: they end with it.
  UniqueFd ctest;
  if (const std::optional<ProcessId> above = ctest_above()) {
    ctest = open_pidfd(*above);
    if (!ctest) throw Error("the ctest above has ended");
  }
  const Isolation isolation = choose_isolation(options.isolation);
  std::optional<TraceFile> trace;
  if (options.trace) trace.emplace(*options.trace);
  if (!options.file) return run_alone(options.command, isolation, *ctest).shell_code();

  KeeperOptions keeper;
  keeper.spec = load_spec(*options.file);
  const EnvironmentPlan plan = plan_spec(keeper.spec, {});
  const std::vector<std::size_t> used = find_services(plan, options.services);
  check_faults(parse_faults(options.faults), plan);
  check_tolerance(options.tolerance, plan, used);
  keeper.isolation = isolation;
  keeper.owner = {Owner::Kind::kExplicit, read_process(::getpid()).value(), "isoenv"};
  keeper.key.spec_file = canonical_spec_file(keeper.spec.file);
  keeper.key.run = keeper.owner.process;
  std::optional<std::filesystem::path> artefacts = options.artefacts;
  if (options.per_command) *artefacts /= command_folder(options.command);
  keeper.artefact_root = artefact_root(artefacts, keeper.spec.name, keeper.key.spec_file);

  keeper.writes_trace = wants_trace();
  keeper.keeps_history = keeper.writes_trace || trace.has_value();

  const std::filesystem::path root = open_run_root();
  sweep_stale(root);
  const RunDirectory directory(root, instance_id(keeper.key));
  Request request{Request::Kind::kUp, options.services};
  request.timing = options.timing || trace;
  Joined joined = ask_or_start(directory, keeper, request, *ctest);
  const UpReport report = up_report_from_json(joined.answer.report);
  if (joined.answer.ending) joined.client.wait_for_end();
  if (!report.refusal.empty()) {
    std::cerr << "isoenv run: " << degraded_text(report.refusal) << std::endl;
  }
  CommandPhases phases = joined.phases;
  phases.insert(phases.begin(), {"spec", began, phases.front().begin});
  if (options.timing) {
    std::cerr << "isoenv run: " << timing_text(timing_from_json(joined.answer.timing), phases)
              << std::flush;
  }
  if (trace && !report.failures.empty()) {
    trace->write("run", phases, timing_from_json(joined.answer.timing));
  }
  if (!report.failures.empty()) throw Error(up_text(report), ExitCode::kOwnFailure);
  const Answer entered = ask_to_join(joined.client, options.services);
  const std::optional<Lease> lease = read_lease(directory);
  if (!lease) throw Error("the instance has just ended");
  const TestRun test{options.services,          options.faults, options.tolerance,
                     options.command,           options.test,   keeper.key.spec_file,
                     lease->artefact_directory, directory.id(), /*ends_instance=*/true};
  const int code = run_test(joined.client, entered, test, *ctest);
  phases.push_back({"command", phases.back().end, SteadyClock().now()});
  Request down{Request::Kind::kDown, {}};
  down.tolerance = options.tolerance;
  down.timing = trace.has_value();
  const Ending ending = take_down(joined.client, std::move(down), code == 0);
  phases.push_back({"down", phases.back().end, SteadyClock().now()});
  if (trace && !ending.timing.empty()) {
    trace->write("run", phases, timing_from_json(ending.timing));
  }
  return code != 0 || ending.passed ? code : static_cast<int>(ExitCode::kEnvironmentFailed);
}

}  // namespace isoenv
