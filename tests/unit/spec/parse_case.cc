#include "unit/spec/parse_case.h"

#include <gtest/gtest.h>

namespace isoenv {
namespace {

constexpr const char* kHead = R"({"version": 1, "environment": "shop", )";

}  // namespace

EnvironmentSpec parse_good(const std::string& text) {
  ParseResult result = parse_spec(text, "");
  if (const auto* faults = std::get_if<std::vector<Diagnostic>>(&result)) {
    ADD_FAILURE() << render("", *faults) << "\nin " << text;
    return {};
  }
  return std::get<EnvironmentSpec>(std::move(result));
}

std::string faults_of(const std::string& text) {
  const ParseResult result = parse_spec(text, "");
  const auto* faults = std::get_if<std::vector<Diagnostic>>(&result);
  return faults == nullptr ? "" : render("", *faults);
}

std::string with_service(const std::string& members) {
  return std::string(kHead) + R"("services": {"user": {"command": ["serve"])" +
         (members.empty() ? "" : ", " + members) + "}}}";
}

std::string with_task(const std::string& members) {
  return std::string(kHead) + R"("services": {"user": {"command": ["serve"]}}, )" +
         R"("tasks": {"seed": {"command": ["fill"])" + (members.empty() ? "" : ", " + members) +
         "}}}";
}

ServiceSpec good_service(const std::string& members) {
  const EnvironmentSpec spec = parse_good(with_service(members));
  return spec.services.empty() ? ServiceSpec{} : spec.services.front();
}

ServiceSpec good_task(const std::string& members) {
  const EnvironmentSpec spec = parse_good(with_task(members));
  return spec.services.empty() ? ServiceSpec{} : spec.services.back();
}

}  // namespace isoenv
