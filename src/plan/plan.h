// What will run, decided before anything starts: order, addresses, names, ports, rendered values.
//
// Pure: the same spec and options give the same plan, byte for byte. No I/O, no clock, no kernel.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "spec/diagnostic.h"
#include "spec/spec.h"

namespace isoenv {

struct PortPlan {
  std::string name;
  std::uint16_t number = 0;
  Protocol protocol = Protocol::kTcp;
  bool assigned = false;
};

struct DependencyPlan {
  std::size_t service = 0;  ///< index into EnvironmentPlan::services
  Need need = Need::kReady;
};

struct ForwardPlan {
  std::string port;          ///< the service's port, by name
  std::uint16_t target = 0;  ///< its number
  std::uint16_t number = 0;  ///< offered on loopback; 0: any free one
};

struct ProbePlan {
  ProbeKind kind = ProbeKind::kTcp;
  std::string port_name;
  std::uint16_t port = 0;
  std::string path;
  int status = 0;
  std::string pattern;
  std::vector<std::string> command;
};

struct ServicePlan {
  std::string name;
  bool is_task = false;
  std::string ipv4;  ///< `10.79.0.2`
  std::string ipv6;  ///< `fd69:736f:656e:7600::2`; "" when the plan is IPv4 only
  std::vector<std::string> aliases;
  std::vector<PortPlan> ports;
  std::vector<std::string> command;   ///< rendered; [0] as written, looked up at start
  std::vector<std::string> launcher;  ///< rendered words before the command; [0] looked up at start
  std::filesystem::path working_directory;  ///< absolute
  std::filesystem::path scratch_directory;  ///< {{self.dir}}
  EnvMode env_mode = EnvMode::kInherit;
  /// What IsoEnv sets after EnvironmentPlan::variables, in order, later wins: PORT, PORT_<NAME>,
  /// SERVICE_NAME, TMPDIR, the environment's env, the service's env (rendered).
  std::vector<std::pair<std::string, std::string>> env;
  std::vector<std::string> secret_env;  ///< names; the values come from the caller's environment
  std::string user;                     ///< account name or uid that it runs as; "" = the caller's
  std::vector<DependencyPlan> depends;
  std::vector<ProbePlan> ready;  ///< defaults made explicit; empty = ready once started
  std::chrono::milliseconds ready_timeout{};
  int stop_signal = 0;
  std::chrono::milliseconds stop_timeout{};
  RestartPolicy restart = RestartPolicy::kNever;
  std::vector<ExitStatus> expect_exit;  ///< further ends that are no failure
  bool allow_failure = false;           ///< nothing that it does fails a test
  std::uint64_t log_limit = 0;          ///< bytes that its log may hold
  std::vector<ForwardPlan> publish;
  std::vector<ForwardPlan> localhost;
};

struct EnvironmentPlan {
  std::string name;
  std::filesystem::path spec_file;
  std::string hub_ipv4;  ///< the hub's own address, where probes and tests come from
  std::string hub_ipv6;
  unsigned ipv4_prefix = 16;
  unsigned ipv6_prefix = 64;
  std::vector<ServicePlan> services;  ///< every dependency stands before its dependents
  /// ISOENV_<SERVICE>_HOST, _PORT, _PORT_<NAME>, _URL of every service: for services and tests.
  /// Kept once: a copy in each ServicePlan would grow with the square of the services.
  std::vector<std::pair<std::string, std::string>> variables;
  /// The scratch folders that a template names: made before anything starts. Nobody misses others.
  std::vector<std::filesystem::path> scratch_directories;
  std::string hosts;             ///< the text of /etc/hosts inside the instance
  bool shared_loopback = false;  ///< made for the ports rung: ipv4 is 127.0.0.1 everywhere

  /// The index of a service or task; services.size() when there is none of that name.
  std::size_t find(const std::string& service) const;
  /// The named services and all they depend on, directly or not, in start order. All when empty.
  std::vector<std::size_t> closure(const std::vector<std::size_t>& wanted) const;
};

struct PlanOptions {
  std::filesystem::path artefact_directory;   ///< {{self.dir}} is <this>/<service>
  std::filesystem::path temporary_directory;  ///< TMPDIR is <this>/<service>
  std::string hub_hostname;                   ///< resolves to the hub's address; "" = no such line
  bool ipv6 = true;                           ///< the machine has IPv6
  /// The ports rung: every service lives on the host's 127.0.0.1, and no name resolves.
  bool shared_loopback = false;
  /// With shared_loopback: the numbers of assigned_protocols() (addressing.h), in its order. As
  /// many as are missing are made up, so that a plan can be checked before numbers are reserved.
  std::vector<std::uint16_t> reserved;
};

using PlanResult = std::variant<EnvironmentPlan, std::vector<Diagnostic>>;

/// Decides everything, or reports every fault that only shows across services: a dependency cycle
/// (`a → b → a`), unknown names in dependencies and templates, forwarded ports taken twice.
PlanResult make_plan(const EnvironmentSpec& spec, const PlanOptions& options);

/// For people: `isoenv check`.
std::string plan_text(const EnvironmentPlan& plan);
/// For programs: `isoenv check --json`. Indented JSON with a final newline.
std::string plan_json(const EnvironmentPlan& plan);

}  // namespace isoenv
