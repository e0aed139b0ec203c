#include "harness/description.h"

#include <nlohmann/json.hpp>

#include "harness/command.h"
#include "netns/isolation.h"
#include "plan/addressing.h"

namespace isoenv {
namespace {

using Json = nlohmann::ordered_json;

Json port_json(const std::string& host, const PortPlan& port) {
  const bool is_tcp = port.protocol == Protocol::kTcp;
  Json json{{"name", port.name}, {"number", port.number}, {"protocol", is_tcp ? "tcp" : "udp"}};
  if (is_tcp) json["url"] = url_of(host, port);
  return json;
}

Json service_json(const EnvironmentPlan& plan, const ServicePlan& service,
                  const std::filesystem::path& artefacts) {
  const std::string host = plan.shared_loopback ? service.ipv4 : service.name;
  Json ports = Json::array();
  for (const PortPlan& port : service.ports) ports.push_back(port_json(host, port));
  return {{"service", service.name},
          {"kind", service.is_task ? "task" : "service"},
          {"host", host},
          {"ipv4", service.ipv4},
          {"ipv6", service.ipv6},
          {"ports", ports},
          {"log", (artefacts / (service.name + ".log")).string()}};
}

}  // namespace

std::string describe_instance(const EnvironmentPlan& plan, const RunDirectory& directory,
                              const std::filesystem::path& artefacts, const std::string& rung) {
  // No name stands there twice; an ordered object would look through all of them for each.
  Json variables = Json::object();
  auto& members = variables.get_ref<Json::object_t&>();
  for (const auto& [name, value] : plan.variables) members.Container::emplace_back(name, value);
  members.Container::emplace_back("ISOENV_INSTANCE", directory.id());
  Json services = Json::array();
  for (const ServicePlan& service : plan.services) {
    services.push_back(service_json(plan, service, artefacts));
  }
  const Json json = {
      {"version", kDescriptionVersion},
      {"isoenv", isoenv_version()},
      {"environment", plan.name},
      {"spec_file", plan.spec_file.string()},
      {"instance", directory.id()},
      {"rung", rung},
      {"run_directory", directory.path().string()},
      {"temporary_directory", directory.temporary_directory(has_namespaces(rung)).string()},
      {"artefacts", artefacts.string()},
      {"variables", variables},
      {"services", services}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string variables_text(const std::string& description) {
  const Json json = Json::parse(description);
  std::string text;
  for (const auto& [name, value] : json.at("variables").items()) {
    text += name + "=" + value.get<std::string>() + "\n";
  }
  return text;
}

}  // namespace isoenv
