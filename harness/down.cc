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
  if (instances.empty() && !options.json) std::cout << "nothing is up" << std::endl;
  for (const RunningInstance& instance : instances) {
    std::optional<ControlClient> client = ControlClient::connect(instance.directory);
    std::optional<Answer> answer;
    if (client) answer = client->ask({Request::Kind::kDown, options.services});
    if (answer && answer->error) throw *answer->error;
    if (client && (!answer || answer->ending)) client->wait_for_end();
    if (!answer || answer->report.empty()) continue;
    if (options.json) {
      std::cout << answer->report << std::endl;
    } else {
      std::cout << down_text(down_report_from_json(answer->report)) << std::flush;
    }
  }
  return 0;
}

}  // namespace isoenv
