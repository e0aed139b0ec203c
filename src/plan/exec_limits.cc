#include "plan/exec_limits.h"

#include "spec/limits.h"

namespace isoenv {
namespace {

using Faults = std::vector<Diagnostic>;

constexpr std::size_t kPointer = sizeof(char*);

void check_length(std::size_t length, std::size_t most, const std::string& what,
                  const std::string& where, Faults& faults) {
  if (length <= most) return;
  faults.push_back({where, what + " has " + std::to_string(length) + " bytes",
                    "the most is " + std::to_string(most)});
}

void check_total(std::size_t bytes, const std::string& where, Faults& faults) {
  if (bytes <= kLargestProgram) return;
  faults.push_back({where,
                    "the program's arguments and variables take more than " +
                        std::to_string(kLargestProgram) + " bytes",
                    "pass them in a file"});
}

}  // namespace

std::size_t exec_bytes(const std::vector<std::string>& arguments) {
  std::size_t bytes = 0;
  for (const std::string& argument : arguments) bytes += argument.size() + 1 + kPointer;
  return bytes;
}

std::size_t exec_bytes(const std::vector<std::pair<std::string, std::string>>& variables) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : variables) bytes += name.size() + value.size() + 2 + kPointer;
  return bytes;
}

void check_exec_limits(const ServicePlan& service, std::size_t shared, const std::string& where,
                       Faults& faults) {
  const std::size_t variables = shared + exec_bytes(service.env);
  for (const auto& [name, value] : service.env) {
    check_length(name.size() + 1 + value.size(), kLongestText, "the variable with its value",
                 where + ".env." + name, faults);
  }
  check_total(exec_bytes(service.launcher) + exec_bytes(service.command) + variables, where,
              faults);
  check_length(service.working_directory.native().size(), kLongestPath, "the path",
               where + ".working_directory", faults);
  for (std::size_t i = 0; i < service.ready.size(); ++i) {
    const ProbePlan& probe = service.ready[i];
    const std::string here = where + ".ready[" + std::to_string(i) + "]";
    if (!probe.command.empty()) check_total(exec_bytes(probe.command) + variables, here, faults);
    if (probe.kind == ProbeKind::kFile || probe.kind == ProbeKind::kUnix) {
      check_length(probe.path.size(), kLongestPath, "the path", here, faults);
    }
  }
}

}  // namespace isoenv
