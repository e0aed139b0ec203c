// The `isoenv` command: finds the command named, and is the only place that prints errors and picks
// exit codes. Single-threaded from first to last, as commands fork and enter namespaces.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/leak_check.h"
#include "base/text.h"
#include "harness/command.h"
#include "harness/options.h"
#include "process/zygote_process.h"

namespace isoenv {
namespace {

std::vector<Command> all_commands() {
  return {{"up", "start services and wait until they are ready", up_command},
          {"down", "stop services, or the whole instance", down_command},
          {"exec", "run a command inside an instance that is up", exec_command},
          {"run", "run a command in an instance of its own", run_command},
          {"shell", "open a shell in the place of a running service", shell_command},
          {"ps", "show instances and their services", ps_command},
          {"env", "print the variables that tests find, or all about an instance", env_command},
          {"stop", "stop services, as a fault: their dependents stay", stop_command},
          {"start", "start services again, and wait until they are ready", start_command},
          {"restart", "stop services and start them again", restart_command},
          {"kill", "send a signal to services, SIGKILL by default", kill_command},
          {"pause", "make all processes of services stand still", pause_command},
          {"resume", "let paused services go on", resume_command},
          {"logs", "print or follow what the services wrote", logs_command},
          {"check", "validate a spec and show what would run", check_command},
          {"gc", "remove what killed instances left", gc_command},
          {"doctor", "show what isolation this machine grants, and why not more", doctor_command}};
}

std::string overview() {
  std::string text =
      "Usage: isoenv COMMAND [OPTION…] …\n\n"
      "Runs services in network namespaces of their own, with names, ports and addresses that\n"
      "nobody else can take, and leaves nothing behind.\n\n"
      "Commands:\n";
  for (const Command& command : all_commands()) {
    text +=
        "  " + command.name + std::string(9 - command.name.size(), ' ') + command.summary + "\n";
  }
  return text +
         "\nOptions:\n"
         "  -h [ --help ]  print this text\n"
         "  --version      print the version\n\n"
         "'isoenv COMMAND --help' tells more about one command.\n";
}

Command find_command(const std::string& name) {
  std::vector<std::string> known{"help", "--help", "--version"};
  for (const Command& command : all_commands()) {
    if (command.name == name) return command;
    known.push_back(command.name);
  }
  const std::string nearest = nearest_word(name, known);
  const std::string kind = name.rfind('-', 0) == 0 ? "option" : "command";
  throw Error("unknown " + kind + " '" + name + "'", ExitCode::kUsage,
              nearest.empty() ? "see 'isoenv --help'" : "did you mean '" + nearest + "'?");
}

int dispatch(const std::vector<std::string>& words) {
  const std::string& first = words.front();
  if (first == "--version") {
    std::cout << "isoenv " << isoenv_version() << '\n';
    return 0;
  }
  const bool help = first == "help" && words.size() > 1;
  if (first == "--help" || first == "-h" || (first == "help" && !help)) {
    std::cout << overview();
    return 0;
  }
  const Command command = find_command(help ? words[1] : first);
  const std::vector<std::string> arguments(words.begin() + 1, words.end());
  if (help || wants_help(command.name, arguments)) {
    std::cout << help_text(command.name);
    return 0;
  }
  return command.function(arguments);
}

/// The command that an error is told of: none when the first word is no command.
std::string told_command(const std::vector<std::string>& words) {
  for (const Command& command : all_commands()) {
    if (command.name == words.front()) return command.name;
  }
  return {};
}

int run_isoenv(const std::vector<std::string>& words) {
  if (words.empty()) {
    std::cerr << overview();
    return static_cast<int>(ExitCode::kUsage);
  }
  const std::string command = told_command(words);
  try {
    const int exit_code = dispatch(words);
    if (!std::cout.flush()) throw Error("cannot write the result to the standard output");
    return exit_code;
  } catch (const Error& error) {
    std::cout.flush();
    std::cerr << render_error(command, error);
    return exit_code_after(command, error.code());
  } catch (const std::exception& exception) {
    std::cout.flush();
    std::cerr << render_error(command, told(exception));
    return exit_code_after(command, ExitCode::kEnvironmentFailed);
  }
}

/// A caller may have closed a standard stream; then the first file opened would take its number and
/// its meaning.
void fill_standard_streams() {
  for (int fd = 0; fd < 3; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0) (void)!::open("/dev/null", O_RDWR);  // takes the lowest number
  }
}

}  // namespace
}  // namespace isoenv

int main(int argc, char** argv) {
  if (argc == 1 && std::string_view(argv[0]) == isoenv::kZygoteName) {
    isoenv::serve_as_zygote(isoenv::UniqueFd(isoenv::kZygoteSocket));
  }
  isoenv::fill_standard_streams();
  const int exit_code =
      isoenv::run_isoenv(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  // Static objects have nothing to do at their end: it would be a tenth of a short command's time.
  std::fflush(nullptr);
  isoenv::check_for_leaks();
  ::_exit(exit_code);
}
