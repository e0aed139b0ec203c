#include "unit/plan/plan_case.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "spec/parse.h"

namespace isoenv {

PlanOptions case_options() {
  PlanOptions options;
  options.artefact_directory = "/art";
  options.temporary_directory = "/tmp";
  return options;
}

EnvironmentSpec spec_of(const std::string& services, const std::string& tasks) {
  const std::string text = R"({"version": 1, "environment": "shop", "services": {)" + services +
                           R"(}, "tasks": {)" + tasks + "}}";
  ParseResult result = parse_spec(text, "/project/shop.json");
  if (const auto* faults = std::get_if<std::vector<Diagnostic>>(&result)) {
    ADD_FAILURE() << render("", *faults) << "\nin " << text;
    return {};
  }
  return std::get<EnvironmentSpec>(std::move(result));
}

EnvironmentPlan good_plan(const EnvironmentSpec& spec, const PlanOptions& options) {
  PlanResult result = make_plan(spec, options);
  if (const auto* faults = std::get_if<std::vector<Diagnostic>>(&result)) {
    ADD_FAILURE() << render("", *faults);
    return {};
  }
  return std::get<EnvironmentPlan>(std::move(result));
}

std::string plan_faults(const EnvironmentSpec& spec) {
  const PlanResult result = make_plan(spec, case_options());
  const auto* faults = std::get_if<std::vector<Diagnostic>>(&result);
  return faults == nullptr ? "" : render("", *faults);
}

std::string order_of(const EnvironmentPlan& plan) {
  std::vector<std::string> names;
  for (const ServicePlan& service : plan.services) names.push_back(service.name);
  return join(names, ", ");
}

const ServicePlan& service_of(const EnvironmentPlan& plan, const std::string& name) {
  static const ServicePlan absent;
  const std::size_t place = plan.find(name);
  if (place < plan.services.size()) return plan.services[place];
  ADD_FAILURE() << "no service " << name;
  return absent;
}

std::string env_of(const ServicePlan& service, const std::string& key) {
  std::string value = "<unset>";
  for (const auto& [name, text] : service.env) {
    if (name == key) value = text;
  }
  return value;
}

}  // namespace isoenv
