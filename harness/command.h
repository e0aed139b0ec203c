// The commands of `isoenv`, and what several of them share.
//
// A command takes the words after its name, prints its result to the standard output and returns
// the exit code. It throws Error for everything that went wrong; main.cc alone prints it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "plan/plan.h"
#include "spec/spec.h"

namespace isoenv {

struct Command {
  std::string name;
  std::string summary;
  int (*function)(const std::vector<std::string>& arguments);
};

int up_command(const std::vector<std::string>& arguments);
int down_command(const std::vector<std::string>& arguments);
int exec_command(const std::vector<std::string>& arguments);
int run_command(const std::vector<std::string>& arguments);
int shell_command(const std::vector<std::string>& arguments);
int ps_command(const std::vector<std::string>& arguments);
int env_command(const std::vector<std::string>& arguments);
int stop_command(const std::vector<std::string>& arguments);
int start_command(const std::vector<std::string>& arguments);
int restart_command(const std::vector<std::string>& arguments);
int kill_command(const std::vector<std::string>& arguments);
int pause_command(const std::vector<std::string>& arguments);
int resume_command(const std::vector<std::string>& arguments);
int logs_command(const std::vector<std::string>& arguments);
int check_command(const std::vector<std::string>& arguments);
int gc_command(const std::vector<std::string>& arguments);
int doctor_command(const std::vector<std::string>& arguments);

/// `0.1.0`.
std::string isoenv_version();

/// Parses the file. Throws Error (kUsage) that tells every fault, one a line.
EnvironmentSpec load_spec(const std::filesystem::path& file);

/// Holds the secrets that the spec names against the caller's environment. Throws Error (kUsage)
/// like load_spec.
void check_secrets(const EnvironmentSpec& spec);

/// Plans the spec. Throws Error (kUsage) like load_spec.
EnvironmentPlan plan_spec(const EnvironmentSpec& spec, const PlanOptions& options);

/// The positions in the plan of the services named, in the order named. Throws Error (kUsage) with
/// the nearest right name when there is none.
std::vector<std::size_t> find_services(const EnvironmentPlan& plan,
                                       const std::vector<std::string>& names);

/// `isoenv up: <message>`, its frames and its hint, a line each.
std::string render_error(const std::string& command, const Error& error);

/// What the process exits with after `error`: exec and run answer 125 for any failure of IsoEnv's
/// own, so that it is not taken for the command's.
int exit_code_after(const std::string& command, ExitCode error);

}  // namespace isoenv
