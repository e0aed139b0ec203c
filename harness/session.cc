#include "harness/session.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <utility>

#include "base/absolute_path.h"
#include "base/error.h"
#include "base/syscall.h"
#include "env/program_environment.h"
#include "harness/artefacts.h"
#include "harness/lease.h"
#include "harness/remove_tree.h"
#include "harness/run_root_cover.h"
#include "netns/isolation.h"
#include "netns/name_files.h"
#include "netns/network.h"
#include "process/foreground.h"
#include "process/sandbox.h"

namespace isoenv {
namespace {

constexpr char kSessionVariable[] = "ISOENV_SESSION";  // INSTANCE:NUMBER

constexpr char kOldSpecRemedy[] =
    "the spec was edited since the instance started, which still runs the old one: 'isoenv down', "
    "then 'isoenv up' again";

/// `has_namespaces`: the command gets, or is in, namespaces of its own.
InitPlan command_plan(const std::vector<std::string>& command, const Variables& own,
                      bool has_namespaces) {
  InitPlan plan;
  plan.ends_tree = !has_namespaces;
  plan.own_proc = has_namespaces;
  plan.own_sys = has_namespaces;
  plan.low_ports = has_namespaces;
  plan.program.dies_with_parent = !has_namespaces;
  plan.program.argv = command;
  plan.program.env = program_environment(EnvMode::kInherit, own_environment(), own);
  const auto found =
      find_program(command.front(), search_path(plan.program.env), current_directory());
  if (const auto* missing = std::get_if<ProgramNotFound>(&found)) {
    throw Error(missing->reason, ExitCode::kOwnFailure);
  }
  plan.program.executable = std::get<std::string>(found);
  return plan;
}

/// Of a command in no instance.
InitPlan lone_plan(const std::vector<std::string>& command, bool has_namespaces) {
  InitPlan plan = command_plan(command, {{"ISOENV_INSTANCE", "alone"}}, has_namespaces);
  plan.program.working_directory = current_directory().string();
  return plan;
}

std::string lone_hosts() {
  char name[256] = "";
  (void)!::gethostname(name, sizeof name - 1);
  return std::string("127.0.0.1 localhost ") + name +
         "\n::1 localhost ip6-localhost ip6-loopback " + name + "\n";
}

void remove_temporary_directory(const std::filesystem::path& path) {
  const UniqueFd parent(::open(path.parent_path().c_str(), O_DIRECTORY | O_RDONLY | O_CLOEXEC));
  if (parent) (void)remove_tree(*parent, path.filename().string());
}

}  // namespace

Joined ask_or_start(const RunDirectory& directory, KeeperOptions options, const Request& request,
                    int owner) {
  // Whether services were refused what this machine refuses always: from now on it is done without.
  const auto refused_by_rule = [&options] {
    if (options.isolation == Isolation::kPorts) return false;
    if (!options.refusal.empty()) return true;
    const std::optional<Error> refusal = find_refusal();
    if (!refusal || refusal->code() != ExitCode::kCannotRun) return false;
    if (options.isolation == Isolation::kNetns) throw *refusal;
    options.refusal = in_one_line(*refusal);
    return true;
  };
  const Clock::TimePoint began = SteadyClock().now();
  options.first = request;
  for (;;) {
    bool started = false;
    bool old_spec = false;
    const bool without_namespaces = !options.refusal.empty();
    std::optional<ControlClient> client;
    UniqueFd lease;  // taken under the lock: of the keeper that we ask, never of its successor
    {
      StartLock lock = StartLock::take(directory);
      if (!keeper_alive(directory)) {
        try {
          start_keeper(lock, options);
        } catch (const Error&) {
          // It may be up, and only the news of it was lost: then it has the directory.
          if (!keeper_alive(directory)) (void)remove_run_directory(std::move(lock));
          throw;
        }
        started = true;
      } else if (const std::optional<Lease> running = read_lease(directory)) {
        check_isolation(options.isolation, *running);
        old_spec = running->spec_digest != options.spec.digest;
      }
      lease = open_lease(directory);
      client = ControlClient::connect(directory);
    }
    if (client) {
      const Clock::TimePoint asked = SteadyClock().now();
      Request asked_for = request;
      asked_for.first = started;
      std::optional<Answer> answer = client->ask(asked_for, owner);
      if (answer && answer->error && old_spec) {
        throw Error(answer->error->what(), answer->error->code(), kOldSpecRemedy);
      }
      if (answer && answer->error) throw *answer->error;
      if (answer && answer->ending && answer->refused) {
        client->wait_for_end();
        wait_for_keeper_end(lease);
        if (refused_by_rule()) continue;
      }
      if (answer && (!answer->ending || !answer->report.empty())) {
        return {std::move(*client),
                std::move(*answer),
                started,
                old_spec,
                {{"keeper", began, asked}, {"services", asked, SteadyClock().now()}}};
      }
    }
    if (has_ended(owner)) throw Error("its owner has ended");
    // It was ending when we came, or was killed before it answered.
    if (client) client->wait_for_end();
    wait_for_keeper_end(lease);
    if (started) {
      // Another's request may have been refused first, and have ended it.
      if (!without_namespaces && refused_by_rule()) continue;
      remove_if_dead(directory);
      throw Error(
          "the instance ended before its services were up", ExitCode::kEnvironmentFailed,
          "keeper.log may say why, in '" +
              latest_artefacts(options.artefact_root).value_or(options.artefact_root).string() +
              "'");
    }
  }
}

std::optional<Reached> surrounding_instance(const std::filesystem::path& root,
                                            const Selection& selection) {
  const char* id = std::getenv("ISOENV_INSTANCE");
  if (id == nullptr || std::string(id).find('/') != std::string::npos) return std::nullopt;
  const RunDirectory directory(root, id);
  std::optional<Lease> lease = read_lease(directory);
  if (!lease || !keeper_alive(directory)) return std::nullopt;
  const bool meant =
      (!selection.file || canonical_spec_file(*selection.file) == lease->key.spec_file) &&
      (selection.name.empty() || selection.name == lease->key.name);
  if (!meant) return std::nullopt;
  std::optional<ControlClient> client = ControlClient::connect(directory);
  if (!client) return std::nullopt;
  // Its keeper is in a PID namespace above, where it has no number for us (unix(7), SO_PEERCRED);
  // without namespaces the variable is all there is.
  const bool apart = has_namespaces(lease->rung);
  if (apart && client->keeper_pid() != 0) return std::nullopt;
  return Reached{{directory, std::move(*lease)}, std::move(*client)};
}

Reached reach_instance(const Selection& selection) {
  const std::filesystem::path root = open_run_root();
  if (std::optional<Reached> around = surrounding_instance(root, selection)) {
    return std::move(*around);
  }
  sweep_stale(root);
  RunningInstance instance = find_instance(root, selection, current_caller());
  std::optional<ControlClient> client = ControlClient::connect(instance.directory);
  if (!client) throw Error("the instance has just ended");
  return {std::move(instance), std::move(*client)};
}

ControlClient connect_to_instance(const Selection& selection) {
  return std::move(reach_instance(selection).client);
}

std::uint64_t surrounding_session(const RunDirectory& instance) {
  const char* session = std::getenv(kSessionVariable);
  // One that was inherited from an instance further out is none of this one's.
  const std::string prefix = instance.id() + ":";
  if (session == nullptr || std::string(session).rfind(prefix, 0) != 0) return 0;
  return std::strtoull(session + prefix.size(), nullptr, 10);
}

Answer ask_to_join(ControlClient& client, const std::vector<std::string>& services) {
  std::optional<Answer> answer = client.ask({Request::Kind::kJoin, services});
  if (!answer || answer->ending) throw Error("the instance is ending");
  if (answer->error) throw *answer->error;
  if (!answer->failures.empty()) {
    throw Error("services of the instance are not ready\n" + failures_text(answer->failures),
                ExitCode::kOwnFailure, "start them with 'isoenv up'");
  }
  return std::move(*answer);
}

ExitStatus run_inside(const ControlClient& client, const Answer& joined,
                      const std::vector<std::string>& command, std::uint64_t session, int owner) {
  const std::filesystem::path temporary =
      std::filesystem::path(joined.temporary_directory) / ("command-" + std::to_string(::getpid()));
  Variables own = joined.variables;
  own.emplace_back("TMPDIR", temporary.string());
  if (session != 0) {
    const auto instance = std::find_if(own.begin(), own.end(), [](const auto& variable) {
      return variable.first == "ISOENV_INSTANCE";
    });
    own.emplace_back(kSessionVariable, instance->second + ":" + std::to_string(session));
  }
  const bool apart = has_namespaces(joined.rung);
  InitPlan plan = command_plan(command, own, apart);
  plan.program.working_directory = current_directory().string();
  const UniqueFd keeper = try_pidfd_open(client.keeper_pid());
  if (!keeper) throw_errno("find the keeper of the instance");
  if (apart) join_namespaces(*keeper);
  // Beyond this point paths are the instance's: its temporary directory is not the host's.
  std::filesystem::create_directories(temporary);
  std::vector<int> owners{*keeper};
  if (owner >= 0) owners.push_back(owner);
  const ForegroundEnd end =
      apart ? run_in_foreground(kCommandNamespaces, Birth::kInJoined, std::move(plan), owners)
            : run_in_foreground(kNoNamespaces, Birth::kInOwn, std::move(plan), owners);
  const ExitStatus status = end.status;
  if (status.signal == SIGKILL && has_ended(*keeper)) {
    throw Error("the instance ended while '" + command.front() + "' ran", ExitCode::kOwnFailure);
  }
  remove_temporary_directory(temporary);
  return status;
}

void run_here(const Answer& joined, const std::vector<std::string>& command) {
  become(command_plan(command, joined.variables, false).program);
}

void run_outside(const std::vector<std::string>& command) {
  become(command_plan(command, {}, false).program);
}

ExitStatus run_alone(const std::vector<std::string>& command, Isolation isolation, int owner) {
  std::vector<int> owners;
  if (owner >= 0) owners.push_back(owner);
  const auto run_on_host = [&] {
    InitPlan plan = lone_plan(command, false);
    return run_in_foreground(kNoNamespaces, Birth::kInOwn, std::move(plan), owners).status;
  };
  if (isolation == Isolation::kPorts) return run_on_host();
  std::exception_ptr failure;
  for (const Seclusion& seclusion : seclusions()) {
    InitPlan plan = lone_plan(command, true);
    plan.settle = [settle = seclusion.settle, hosts = lone_hosts()] {
      settle();
      enter_own_mounts();
      mount_own_shared_memory();
      hide_run_roots();
      raise_loopback();
      cover_name_files(hosts);
    };
    try {
      return run_in_foreground(seclusion.flags, Birth::kInOwn, std::move(plan), owners).status;
    } catch (const SystemError&) {
      failure = std::current_exception();  // the command was not started, and nothing is left
    }
  }
  const std::optional<Error> refusal = find_refusal();
  if (!refusal) std::rethrow_exception(failure);
  if (isolation == Isolation::kNetns || refusal->code() != ExitCode::kCannotRun) throw *refusal;
  std::cerr << "isoenv run: " << degraded_text(in_one_line(*refusal)) << std::endl;
  return run_on_host();
}

}  // namespace isoenv
