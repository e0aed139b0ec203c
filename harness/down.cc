#include <iostream>
#include <string>

#include "harness/command.h"
#include "harness/instances.h"
#include "harness/options.h"
#include "harness/session.h"

namespace isoenv {

int down_command(const std::vector<std::string>& arguments) {
  const DownOptions options = parse_down(arguments);
  const std::filesystem::path root = open_run_root();
  sweep_stale(root);
  const std::vector<RunningInstance> instances =
      select_instances(root, {options.file, options.name}, current_caller());
  std::vector<Incident> incidents;
  if (instances.empty() && !options.json) std::cout << "nothing is up" << std::endl;
  for (const RunningInstance& instance : instances) {
    std::optional<ControlClient> client = ControlClient::connect(instance.directory);
    std::optional<Answer> answer;
    if (client) answer = client->ask({Request::Kind::kDown, options.services});
    if (answer && answer->error) throw *answer->error;
    if (client && (!answer || answer->ending)) client->wait_for_end();
    if (!answer || answer->report.empty()) continue;
    for (const Bundle& bundle : answer->bundles) tell_bundle(bundle);
    const DownReport report = down_report_from_json(answer->report);
    for (const Incident& incident : report.incidents) incidents.push_back(incident);
    if (options.json) {
      std::cout << answer->report << std::endl;
    } else {
      std::cout << down_text(report) << std::flush;
    }
  }
  if (incidents.empty()) return 0;
  if (options.json) return static_cast<int>(ExitCode::kEnvironmentFailed);
  throw Error("services have failed:" + incidents_text(incidents), ExitCode::kEnvironmentFailed);
}

}  // namespace isoenv
