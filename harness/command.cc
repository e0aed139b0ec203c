#include "harness/command.h"

#include <utility>
#include <variant>

#include "base/absolute_path.h"
#include "base/text.h"
#include "env/secret_values.h"
#include "spec/parse.h"

namespace isoenv {
namespace {

[[noreturn]] void refuse_spec(const std::filesystem::path& file,
                              const std::vector<Diagnostic>& faults) {
  std::string listed = render(file.string(), faults);
  while (!listed.empty() && listed.back() == '\n') listed.pop_back();
  const std::string count =
      faults.size() == 1 ? "a fault" : std::to_string(faults.size()) + " faults";
  throw Error("the spec has " + count + "\n" + listed, ExitCode::kUsage);
}

}  // namespace

std::string isoenv_version() { return ISOENV_VERSION; }

EnvironmentSpec load_spec(const std::filesystem::path& file) {
  if (file.is_relative()) (void)current_directory();  // it is missed before the file in it is
  ParseResult result;
  try {
    result = parse_spec_file(file);
  } catch (const SystemError& error) {
    throw SystemError(
        error.error_number(), error.operation(), file, ExitCode::kUsage,
        "name the spec with --file FILE; in a build tree that was moved, run CMake again");
  }
  if (const auto* faults = std::get_if<std::vector<Diagnostic>>(&result)) {
    refuse_spec(file, *faults);
  }
  return std::get<EnvironmentSpec>(std::move(result));
}

void check_secrets(const EnvironmentSpec& spec) {
  const std::vector<Diagnostic> faults = secret_faults(spec, own_environment());
  if (!faults.empty()) refuse_spec(spec.file, faults);
}

EnvironmentPlan plan_spec(const EnvironmentSpec& spec, const PlanOptions& options) {
  PlanResult result = make_plan(spec, options);
  if (const auto* faults = std::get_if<std::vector<Diagnostic>>(&result)) {
    refuse_spec(spec.file, *faults);
  }
  return std::get<EnvironmentPlan>(std::move(result));
}

std::vector<std::size_t> find_services(const EnvironmentPlan& plan,
                                       const std::vector<std::string>& names) {
  std::vector<std::size_t> found;
  for (const std::string& name : names) {
    const std::size_t position = plan.find(name);
    if (position < plan.services.size()) {
      found.push_back(position);
      continue;
    }
    std::vector<std::string> known;
    for (const ServicePlan& service : plan.services) known.push_back(service.name);
    const std::string nearest = nearest_word(name, known);
    throw Error(
        "environment '" + plan.name + "' has no service '" + name + "'", ExitCode::kUsage,
        nearest.empty() ? "it has: " + join(known, ", ") : "did you mean '" + nearest + "'?");
  }
  return found;
}

std::string render_error(const std::string& command, const Error& error) {
  std::string text = "isoenv";
  if (!command.empty()) text += " " + command;
  text += std::string(": ") + error.what() + "\n";
  for (const std::string& frame : error.frames()) text += "  while " + frame + "\n";
  if (!error.hint().empty()) text += "  hint: " + error.hint() + "\n";
  return text;
}

int exit_code_after(const std::string& command, ExitCode error) {
  const bool wraps_command = command == "exec" || command == "run" || command == "shell";
  if (wraps_command && error != ExitCode::kUsage && error != ExitCode::kCannotRun) {
    return static_cast<int>(ExitCode::kOwnFailure);
  }
  return static_cast<int>(error);
}

}  // namespace isoenv
