#include <cstdlib>

#include "harness/command.h"
#include "harness/instances.h"
#include "harness/options.h"
#include "harness/session.h"
#include "harness/test_command.h"

namespace isoenv {
namespace {

/// The instance that this process is in already, when it is the one meant: a test launcher may be
/// applied twice. Its keeper is then in a PID namespace above, where it has no number for us
/// (unix(7), SO_PEERCRED); without namespaces the variable is all there is.
std::optional<ControlClient> surrounding_instance(const std::filesystem::path& root,
                                                  const ExecOptions& options) {
  const char* id = std::getenv("ISOENV_INSTANCE");
  if (id == nullptr || std::string(id).find('/') != std::string::npos) return std::nullopt;
  const RunDirectory directory(root, id);
  const std::optional<Lease> lease = read_lease(directory);
  if (!lease || !keeper_alive(directory)) return std::nullopt;
  if (options.file && canonical_spec_file(*options.file) != lease->key.spec_file) {
    return std::nullopt;
  }
  std::optional<ControlClient> client = ControlClient::connect(directory);
  const bool apart = lease->rung != rung_name(Rung::kPorts);
  if (client && apart && client->keeper_pid() != 0) return std::nullopt;
  return client;
}

}  // namespace

int exec_command(const std::vector<std::string>& arguments) {
  const ExecOptions options = parse_exec(arguments);
  if (only_lists(options.command, options.listing)) run_outside(options.command);
  const std::filesystem::path root = open_run_root();
  if (std::optional<ControlClient> inside = surrounding_instance(root, options)) {
    run_here(ask_to_join(*inside, options.services), options.command);
  }
  sweep_stale(root);
  const RunningInstance instance =
      find_instance(root, {options.file, options.name}, current_caller());
  std::optional<ControlClient> client = ControlClient::connect(instance.directory);
  if (!client) throw Error("the instance has just ended");
  const Answer joined = ask_to_join(*client, options.services);
  const ExitStatus status = run_inside(*client, joined, options.command);
  return status.shell_code();
}

}  // namespace isoenv
