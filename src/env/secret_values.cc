#include "env/secret_values.h"

#include <algorithm>
#include <set>

#include "plan/addressing.h"
#include "process/redactor.h"

namespace isoenv {

std::vector<Diagnostic> secret_faults(const EnvironmentSpec& spec, const Variables& environment) {
  std::vector<Diagnostic> faults;
  for (const ServiceSpec& service : spec.services) {
    for (const std::string& name : service.secret_env) {
      const std::string where = spec_path(service) + ".secret_env";
      const auto found = std::find_if(environment.begin(), environment.end(),
                                      [&](const auto& variable) { return variable.first == name; });
      if (found == environment.end()) {
        faults.push_back({where, "the environment does not set " + in_quotes(name),
                          "set it where 'isoenv' or 'ctest' is started"});
      } else if (Secrets::pieces(found->second).empty()) {
        faults.push_back({where, "the value of " + in_quotes(name) + " is too short for a secret",
                          "it needs a line of at least " + std::to_string(Secrets::kShortest) +
                              " characters: what is shorter cannot be masked"});
      }
    }
  }
  return faults;
}

Variables take_secrets(const EnvironmentPlan& plan, Variables& environment) {
  std::set<std::string> names;
  for (const ServicePlan& service : plan.services) {
    names.insert(service.secret_env.begin(), service.secret_env.end());
  }
  const auto first_secret =
      std::stable_partition(environment.begin(), environment.end(),
                            [&](const auto& variable) { return !names.contains(variable.first); });
  Variables secrets(first_secret, environment.end());
  environment.erase(first_secret, environment.end());
  return secrets;
}

std::shared_ptr<const Secrets> make_secrets(const Variables& values) {
  std::vector<std::string> texts;
  for (const auto& [name, value] : values) texts.push_back(value);
  return std::make_shared<const Secrets>(texts);
}

}  // namespace isoenv
