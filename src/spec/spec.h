// The spec as plain structs: exactly what a user wrote, checked for form, with units in the types.
//
// Nothing here is resolved: templates are unrendered, relative paths and assigned ports are as
// written. plan/ turns it into what will run. Contains no I/O and no pointers.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/exit_status.h"

namespace isoenv {

enum class Protocol { kTcp, kUdp };

struct PortSpec {
  std::string name;
  std::uint16_t number = 0;  ///< 0: assigned by the plan
  Protocol protocol = Protocol::kTcp;
};

/// What a dependent waits for.
enum class Need {
  kStarted,    ///< the process was started
  kReady,      ///< all its probes passed (a service's default)
  kCompleted,  ///< it exited with 0 (a task's default and only kind)
};

struct DependencySpec {
  std::string name;
  Need need = Need::kReady;
};

/// A TCP port of the service offered elsewhere: on the host's loopback, or on the hub's.
struct ForwardSpec {
  std::string port;          ///< the service's port, by name
  std::uint16_t number = 0;  ///< the number offered; 0: the same as the service's own
  bool automatic = false;    ///< any free number (publish only)
};

enum class ProbeKind { kTcp, kUdp, kHttp, kLog, kExec, kFile, kUnix, kNotify, kExit };

struct ProbeSpec {
  ProbeKind kind = ProbeKind::kTcp;
  std::string port;     ///< tcp, udp, http: a declared port's name
  std::string path;     ///< http: request target; file, unix: a path (template)
  int status = 0;       ///< http: exact status, 0 = any 2xx; exit: the exit code
  std::string pattern;  ///< log: regex a line must contain; http: regex for the body, or ""
  std::vector<std::string> command;  ///< exec: argv (template)
};

enum class EnvMode {
  kInherit,  ///< the environment that the instance was started with, then its own values
  kClean,  ///< only PATH, HOME, USER, LOGNAME, LANG, LC_ALL, TZ, SHELL as far as set, then its own
};

/// Whether a service that has ended by itself is started again.
enum class RestartPolicy { kNever, kOnFailure };

struct ServiceSpec {
  std::string name;
  bool is_task = false;
  std::vector<std::string> command;   ///< argv, never through a shell (template)
  std::vector<std::string> launcher;  ///< words put before the command (template); mostly none
  std::string working_directory;      ///< relative to the spec's folder; "" = that folder
  std::vector<std::string> aliases;   ///< further host names
  std::vector<PortSpec> ports;        ///< in the order written: the first is `PORT`
  std::vector<std::pair<std::string, std::string>> env;  ///< in the order written (template)
  EnvMode env_mode = EnvMode::kInherit;
  std::vector<std::string> secret_env;  ///< variables whose values no output may show; names only
  std::string user;                     ///< account name or uid that it runs as; "" = the caller's
  std::vector<DependencySpec> depends;
  std::vector<ProbeSpec> ready;  ///< all must pass; empty = the default of the kind
  std::chrono::milliseconds ready_timeout{30'000};
  int stop_signal = SIGTERM;
  std::chrono::milliseconds stop_timeout{10'000};
  RestartPolicy restart = RestartPolicy::kNever;
  std::vector<ExitStatus> expect_exit;                 ///< further ends that are no failure
  bool allow_failure = false;                          ///< nothing that it does fails a test
  std::uint64_t log_limit = std::uint64_t{256} << 20;  ///< bytes that its log may hold
  std::vector<ForwardSpec> publish;                    ///< 127.0.0.1 and ::1 of the host
  std::vector<ForwardSpec> localhost;  ///< 127.0.0.1 and ::1 of the hub, where tests run
};

struct EnvironmentSpec {
  std::string name;
  std::filesystem::path file;  ///< absolute; "" when there is no file
  std::vector<std::pair<std::string, std::string>>
      env;                            ///< for every service and task, before its own
  std::vector<ServiceSpec> services;  ///< services, then tasks, each in the order written
  std::vector<std::string> lines;     ///< of the file named by "lines": the values of {{line.N}}
  std::string digest;  ///< another one when the text of the spec or of its lines is another
};

}  // namespace isoenv
