// The spec: JSON text, parsed, planned and printed. Behind a 0x1e byte, the file that "lines" names.
#include <nlohmann/json.hpp>
#include <variant>

#include "base/error.h"
#include "fuzz.h"
#include "plan/plan.h"
#include "spec/parse.h"

namespace isoenv::fuzz {
namespace {

constexpr char kLines = '\x1e';

/// Faults of the file as a whole: only these have no place inside it.
bool may_lack_place(const Diagnostic& fault) {
  for (const char* beginning : {"the file is empty", "missing key", "expected an object",
                                "this is not JSON", "nested deeper"}) {
    if (fault.what.starts_with(beginning)) return true;
  }
  return fault.what.ends_with("in one environment");
}

void check_faults(const std::vector<Diagnostic>& faults) {
  require(!faults.empty(), "a refusal says why");
  for (const Diagnostic& fault : faults) {
    require(!fault.what.empty(), "every fault says what is wrong");
    require(!fault.where.empty() || may_lack_place(fault), "every fault has a place");
    require(!has_control_character(fault.where + fault.what + fault.hint),
            "a fault is one line of text");
    require((fault.where + fault.what + fault.hint).size() < 100'000, "a fault can be read");
  }
  (void)render("isoenv.json", faults);
}

void check_plan(const EnvironmentPlan& plan) {
  const std::string text = plan_text(plan);
  require(text.ends_with('\n'), "the plan's text ends with a newline");
  const std::string json = plan_json(plan);
  require(nlohmann::json::accept(json), "the plan's JSON is JSON");
  for (std::size_t i = 0; i < plan.services.size(); ++i) {
    const ServicePlan& service = plan.services[i];
    require(!service.command.empty() && !service.command.front().empty(),
            "every service has a program");
    for (const std::string& argument : service.command) {
      require(argument.find('\0') == std::string::npos, "no argument holds a NUL");
    }
    for (const auto& [name, value] : service.env) {
      require(!name.empty() && name.find('=') == std::string::npos &&
                  name.find('\0') == std::string::npos && value.find('\0') == std::string::npos,
              "every variable can be set");
    }
    for (const DependencyPlan& dependency : service.depends) {
      require(dependency.service < i, "dependencies stand before their dependents");
    }
    for (const PortPlan& port : service.ports) require(port.number != 0, "every port has a number");
    require(plan.find(service.name) == i, "a service is found by its name");
  }
}

}  // namespace
}  // namespace isoenv::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace isoenv;
  using namespace isoenv::fuzz;
  std::string_view rest = text_of(data, size);
  const std::string_view spec_text = take_part(rest, kLines);
  const std::string lines(rest);
  const auto read = [&](const std::filesystem::path& file) {
    if (lines.empty()) throw SystemError(ENOENT, "open", file.string(), ExitCode::kUsage);
    return lines;
  };
  const ParseResult spec = parse_spec(spec_text, "/project/isoenv.json", read);
  if (const auto* faults = std::get_if<std::vector<Diagnostic>>(&spec)) {
    check_faults(*faults);
    return 0;
  }
  PlanOptions options;
  options.artefact_directory = "/art";
  options.temporary_directory = "/tmp";
  options.hub_hostname = "host";
  const PlanResult plan = make_plan(std::get<EnvironmentSpec>(spec), options);
  if (const auto* faults = std::get_if<std::vector<Diagnostic>>(&plan)) {
    check_faults(*faults);
  } else {
    check_plan(std::get<EnvironmentPlan>(plan));
  }
  return 0;
}
