#include <unistd.h>

#include <iostream>

#include "harness/command.h"
#include "harness/options.h"
#include "harness/service_entry.h"
#include "harness/session.h"

namespace isoenv {

int shell_command(const std::vector<std::string>& arguments) {
  const ShellOptions options = parse_shell(arguments);
  Reached reached = reach_instance({options.file, options.name});
  const Answer entered = ask_to_enter(reached.client, options.service);
  const std::string shell = users_shell();
  if (::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1) {
    std::cerr << "isoenv shell: in the place of '" << options.service << "'; 'exit' leaves it"
              << std::endl;
  }
  return run_in_service(reached.client, entered, {shell}, "", /*takes_terminal=*/true).shell_code();
}

}  // namespace isoenv
