#include "base/absolute_path.h"
#include "harness/command.h"
#include "harness/options.h"
#include "harness/service_entry.h"
#include "harness/session.h"
#include "harness/test_command.h"
#include "harness/test_run.h"

namespace isoenv {

int exec_command(const std::vector<std::string>& arguments) {
  const ExecOptions options = parse_exec(arguments);
  if (only_lists(options.command, options.listing)) run_outside(options.command);
  const Selection selection{options.file, options.name};
  if (!options.in.empty()) {
    Reached reached = reach_instance(selection);
    if (!options.services.empty()) (void)ask_to_join(reached.client, options.services);
    const Answer entered = ask_to_enter(reached.client, options.in);
    return run_in_service(reached.client, entered, options.command, current_directory().string(),
                          /*takes_terminal=*/false)
        .shell_code();
  }
  // A test launcher may be applied twice: then the session around has the same faults.
  if (std::optional<Reached> around = surrounding_instance(open_run_root(), selection)) {
    run_here(ask_to_join(around->client, options.services), options.command);
  }
  Reached reached = reach_instance(selection);
  const Answer joined = ask_to_join(reached.client, options.services);
  const Lease& lease = reached.instance.lease;
  const TestRun test{options.services,
                     options.faults,
                     options.tolerance,
                     options.command,
                     options.test,
                     lease.key.spec_file,
                     lease.artefact_directory,
                     reached.instance.directory.id(),
                     /*ends_instance=*/false};
  return run_test(reached.client, joined, test);
}

}  // namespace isoenv
