// The command line of every command, as plain structs.
//
// Strict: no abbreviated options, no option twice, no unknown one; every fault is an Error (kUsage)
// that names the word and the nearest right one. `exec` and `run` stop reading at `--` or at the
// first word that is no option: the rest is the command, with options of its own.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/test_options.h"

namespace isoenv {

using Arguments = std::vector<std::string>;

/// The spec of `up` and `check` without -f.
inline constexpr char kDefaultSpecFile[] = "isoenv.json";

struct UpOptions {
  std::filesystem::path file;
  std::optional<std::string> isolation;  ///< for choose_isolation
  std::string owner;                     ///< `auto`, `none` or a pid, for find_owner
  std::string name;
  std::optional<std::filesystem::path> artefacts;
  bool json = false;
  bool timing = false;
  std::optional<std::filesystem::path> trace;     ///< the file to write
  std::optional<std::filesystem::path> prestart;  ///< a file of names
  std::vector<std::string> pause_before;          ///< services that are paused before their start
  std::vector<std::string> services;              ///< none: all
};

struct DownOptions {
  std::optional<std::filesystem::path> file;
  std::string name;
  bool json = false;
  std::vector<std::string> services;  ///< none: the whole instance
};

struct ExecOptions : TestOptions {
  std::optional<std::filesystem::path> file;
  std::string name;
  std::string in;                     ///< the service in whose place it runs; "" = the hub
  std::vector<std::string> services;  ///< must be up and ready
  std::vector<std::string> command;   ///< never empty
};

struct RunOptions : TestOptions {
  std::optional<std::filesystem::path> file;  ///< none: an empty private environment
  std::optional<std::string> isolation;       ///< for choose_isolation
  std::optional<std::filesystem::path> artefacts;
  bool timing = false;
  std::optional<std::filesystem::path> trace;  ///< the file to write
  bool per_command = false;           ///< `artefacts` has a folder for each different command
  std::vector<std::string> services;  ///< none: all
  std::vector<std::string> command;   ///< never empty
};

struct ShellOptions {
  std::optional<std::filesystem::path> file;
  std::string name;
  std::string service;
};

struct PsOptions {
  std::optional<std::filesystem::path> file;
  std::string name;
  bool json = false;
};

struct EnvOptions {
  std::optional<std::filesystem::path> file;
  std::string name;
  bool json = false;
};

/// Of `stop`, `start`, `restart`, `kill`, `pause` and `resume`.
struct FaultOptions {
  std::optional<std::filesystem::path> file;
  std::string name;
  std::string signal;  ///< of `kill`; "" = SIGKILL
  bool keep = false;   ///< inside a test: not undone at its end
  bool json = false;
  std::vector<std::string> services;  ///< never empty
};

struct LogsOptions {
  std::optional<std::filesystem::path> file;
  std::string name;
  std::optional<std::filesystem::path> artefacts;
  bool follow = false;
  std::vector<std::string> services;  ///< none: all
};

struct CheckOptions {
  std::filesystem::path file;
  bool json = false;
};

struct GcOptions {
  std::optional<std::filesystem::path> artefacts;
  bool dry_run = false;
  bool json = false;
};

struct DoctorOptions {
  bool apparmor_profile = false;  ///< print that, and examine nothing
  bool json = false;
};

/// `arguments`: what follows the command's name.
UpOptions parse_up(const Arguments& arguments);
DownOptions parse_down(const Arguments& arguments);
ExecOptions parse_exec(const Arguments& arguments);
RunOptions parse_run(const Arguments& arguments);
ShellOptions parse_shell(const Arguments& arguments);
PsOptions parse_ps(const Arguments& arguments);
EnvOptions parse_env(const Arguments& arguments);
FaultOptions parse_fault_command(const std::string& command, const Arguments& arguments);
LogsOptions parse_logs(const Arguments& arguments);
CheckOptions parse_check(const Arguments& arguments);
GcOptions parse_gc(const Arguments& arguments);
DoctorOptions parse_doctor(const Arguments& arguments);

/// True when `--help` or `-h` stands among the command's own options.
bool wants_help(const std::string& command, const Arguments& arguments);

/// What `isoenv COMMAND --help` prints.
std::string help_text(const std::string& command);

}  // namespace isoenv
