#include <cstdlib>

#include "harness/command.h"
#include "harness/instances.h"
#include "harness/options.h"
#include "harness/session.h"

namespace isoenv {

int exec_command(const std::vector<std::string>& arguments) {
  const ExecOptions options = parse_exec(arguments);
  const std::filesystem::path root = open_run_root();
  const RunningInstance instance =
      find_instance(root, {options.file, options.name}, current_caller());
  std::optional<ControlClient> client = ControlClient::connect(instance.directory);
  if (!client) throw Error("the instance has just ended");
  const Answer joined = ask_to_join(*client, options.services);
  const ExitStatus status = run_inside(*client, joined, options.command);
  return status.shell_code();
}

}  // namespace isoenv
