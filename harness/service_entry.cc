#include "harness/service_entry.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/absolute_path.h"
#include "base/error.h"
#include "base/syscall.h"
#include "env/program_environment.h"
#include "netns/isolation.h"
#include "process/foreground.h"
#include "process/sandbox.h"

namespace isoenv {
namespace {

/// What a program needs to know of the terminal it is used at, which may not be that of `up`.
constexpr const char* kTerminalVariables[] = {"TERM", "COLORTERM", "TERMINFO"};

std::string_view name_of(std::string_view entry) { return entry.substr(0, entry.find('=')); }

void set(std::vector<std::string>& environment, const std::string& entry) {
  std::erase_if(environment,
                [&](const std::string& other) { return name_of(other) == name_of(entry); });
  environment.push_back(entry);
}

/// Secrets never travel: they are read where the kernel shows them to the same user alone.
void add_secrets(const ServicePlace& place, std::vector<std::string>& environment) {
  if (place.secrets.empty()) return;
  std::ifstream file("/proc/" + std::to_string(place.init.pid) + "/environ", std::ios::binary);
  for (std::string entry; std::getline(file, entry, '\0');) {
    const bool wanted = std::find(place.secrets.begin(), place.secrets.end(), name_of(entry)) !=
                        place.secrets.end();
    if (wanted) set(environment, entry);
  }
}

std::vector<std::string> command_environment(const ServicePlace& place) {
  std::vector<std::string> environment = place.environment;
  add_secrets(place, environment);
  for (const char* const name : kTerminalVariables) {
    const char* const value = std::getenv(name);
    if (value != nullptr) set(environment, std::string(name) + "=" + value);
  }
  return environment;
}

std::string find_command(const std::string& name, const StringBlock& environment,
                         const std::filesystem::path& working_directory) {
  const auto found = find_program(name, search_path(environment), working_directory);
  if (const auto* path = std::get_if<std::string>(&found)) return *path;
  const char* const own_path = std::getenv("PATH");
  if (own_path != nullptr) {
    const auto own = find_program(name, own_path, working_directory);
    if (const auto* path = std::get_if<std::string>(&own)) return *path;
  }
  throw Error(std::get<ProgramNotFound>(found).reason, ExitCode::kOwnFailure);
}

/// True when /proc is that of a PID namespace which the caller is not in: there it has no number.
bool proc_is_the_sandboxes() {
  char target[32];
  return ::readlink("/proc/self", target, sizeof target) < 0;
}

void join_service(int init, InitPlan& plan) {
  join_namespaces(init);
  if (proc_is_the_sandboxes()) return;
  plan.ends_tree = false;  // who is below it, it cannot see
  std::cerr << "isoenv: this machine refused the service a /proc of its own: the process ids there "
               "are not those that programs inside go by\n";
}

}  // namespace

ServicePlace find_place(const ServicePlan& service, const std::optional<LinuxBackend::Place>& place,
                        ServiceState state) {
  const std::optional<ProcessId> init =
      place ? read_process(static_cast<pid_t>(place->init)) : std::nullopt;
  if (!init) {
    throw Error("'" + service.name + "' is not running (" + state_name(state) + ")",
                ExitCode::kEnvironmentFailed, "start it with 'isoenv up " + service.name + "'");
  }
  return {*init,
          {place->environment.begin(), place->environment.end()},
          service.secret_env,
          service.working_directory.string()};
}

Answer ask_to_enter(ControlClient& client, const std::string& service) {
  if (client.keeper_pid() == 0) {
    throw Error("this process is itself inside the instance, from where '" + service +
                    "' cannot be entered",
                ExitCode::kOwnFailure, "call it outside, where 'isoenv up' was called");
  }
  std::optional<Answer> answer = client.ask({Request::Kind::kEnter, {service}});
  if (!answer || answer->ending) throw Error("the instance is ending");
  if (answer->error) throw *answer->error;
  return std::move(*answer);
}

ExitStatus run_in_service(const ControlClient& client, const Answer& entered,
                          const std::vector<std::string>& command,
                          const std::string& working_directory, bool takes_terminal) {
  const ServicePlace& place = entered.place.value();
  const bool apart = has_namespaces(entered.rung);
  InitPlan plan;
  plan.ends_tree = true;  // the PID namespace is the service's, and outlives the command
  plan.takes_terminal = takes_terminal && ::isatty(STDIN_FILENO) == 1;
  plan.program.argv = command;
  plan.program.env = StringBlock(command_environment(place));
  plan.program.working_directory =
      working_directory.empty() ? place.working_directory : working_directory;
  plan.program.executable =
      find_command(command.front(), plan.program.env, plan.program.working_directory);
  plan.program.dies_with_parent = true;
  plan.program.debugs = true;

  const UniqueFd keeper = try_pidfd_open(client.keeper_pid());
  if (!keeper) throw_errno("find the keeper of the instance");
  const UniqueFd init = open_pidfd(place.init);
  if (!init) throw Error("the service has just ended", ExitCode::kOwnFailure);
  const Error ended("the service ended while '" + command.front() + "' ran", ExitCode::kOwnFailure);
  try {
    if (apart) join_service(*init, plan);
    const ForegroundEnd end = run_in_foreground(
        kNoNamespaces, apart ? Birth::kInJoined : Birth::kInOwn, std::move(plan), {*keeper, *init});
    if (end.cut_off) throw ended;
    return end.status;
  } catch (const SystemError&) {
    // The kernel has its own words for namespaces whose init has ended: ESRCH, ENOMEM.
    if (has_ended(*init) || has_ended(*keeper)) throw ended;
    throw;
  }
}

std::string users_shell() {
  const char* const shell = std::getenv("SHELL");
  const bool usable = shell != nullptr && *shell == '/' && ::access(shell, X_OK) == 0;
  return usable ? shell : "sh";
}

}  // namespace isoenv
