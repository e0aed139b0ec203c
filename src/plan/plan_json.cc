#include <nlohmann/json.hpp>
#include <string_view>
#include <unordered_map>

#include "base/exit_status.h"
#include "plan/plan.h"

namespace isoenv {
namespace {

using Json = nlohmann::ordered_json;
using Pairs = std::vector<std::pair<std::string, std::string>>;

const char* need_word(Need need) {
  switch (need) {
    case Need::kStarted:
      return "started";
    case Need::kReady:
      return "ready";
    case Need::kCompleted:
      return "completed";
  }
  return "";
}

const char* kind_word(ProbeKind kind) {
  switch (kind) {
    case ProbeKind::kTcp:
      return "tcp";
    case ProbeKind::kUdp:
      return "udp";
    case ProbeKind::kHttp:
      return "http";
    case ProbeKind::kLog:
      return "log";
    case ProbeKind::kExec:
      return "exec";
    case ProbeKind::kFile:
      return "file";
    case ProbeKind::kUnix:
      return "unix";
    case ProbeKind::kNotify:
      return "notify";
    case ProbeKind::kExit:
      return "exit";
  }
  return "";
}

/// Later values win, as they do in the process.
Json object_of(const Pairs& pairs) {
  std::unordered_map<std::string_view, std::size_t> places;
  std::vector<const Pairs::value_type*> kept;
  for (const Pairs::value_type& pair : pairs) {
    const auto [place, added] = places.emplace(pair.first, kept.size());
    if (added) kept.emplace_back();
    kept[place->second] = &pair;
  }
  // An ordered object looks through all its keys for each it is given by name.
  Json object = Json::object();
  auto& members = object.get_ref<Json::object_t&>();
  members.reserve(kept.size());
  for (const Pairs::value_type* pair : kept) {
    members.Container::emplace_back(pair->first, pair->second);
  }
  return object;
}

Json ports_json(const std::vector<PortPlan>& ports) {
  Json list = Json::array();
  for (const PortPlan& port : ports) {
    list.push_back({{"name", port.name},
                    {"number", port.number},
                    {"protocol", port.protocol == Protocol::kUdp ? "udp" : "tcp"},
                    {"assigned", port.assigned}});
  }
  return list;
}

Json probe_json(const ProbePlan& probe) {
  Json object = {{"kind", kind_word(probe.kind)}};
  if (!probe.port_name.empty()) {
    object["port"] = probe.port_name;
    object["number"] = probe.port;
  }
  if (!probe.path.empty()) object["path"] = probe.path;
  if (probe.kind == ProbeKind::kExit || probe.status != 0) object["status"] = probe.status;
  if (!probe.pattern.empty()) object["pattern"] = probe.pattern;
  if (!probe.command.empty()) object["command"] = probe.command;
  return object;
}

Json forwards_json(const std::vector<ForwardPlan>& forwards) {
  Json list = Json::array();
  for (const ForwardPlan& forward : forwards) {
    Json object = {{"port", forward.port}, {"target", forward.target}};
    object["number"] = forward.number == 0 ? Json("auto") : Json(forward.number);
    list.push_back(std::move(object));
  }
  return list;
}

Json exits_json(const std::vector<ExitStatus>& exits) {
  Json list = Json::array();
  for (const ExitStatus& status : exits) {
    list.push_back(status.signal != 0 ? Json(signal_name(status.signal)) : Json(status.code));
  }
  return list;
}

Json service_json(const EnvironmentPlan& plan, const ServicePlan& service) {
  Json depends = Json::object();
  for (const DependencyPlan& dependency : service.depends) {
    depends[plan.services[dependency.service].name] = need_word(dependency.need);
  }
  Json ready = Json::array();
  for (const ProbePlan& probe : service.ready) ready.push_back(probe_json(probe));
  return {
      {"name", service.name},
      {"kind", service.is_task ? "task" : "service"},
      {"ipv4", service.ipv4},
      {"ipv6", service.ipv6},
      {"aliases", service.aliases},
      {"ports", ports_json(service.ports)},
      {"command", service.command},
      {"launcher", service.launcher},
      {"working_directory", service.working_directory.string()},
      {"scratch_directory", service.scratch_directory.string()},
      {"env_mode", service.env_mode == EnvMode::kClean ? "clean" : "inherit"},
      {"env", object_of(service.env)},
      {"secret_env", service.secret_env},
      {"user", service.user},
      {"depends", std::move(depends)},
      {"ready", std::move(ready)},
      {"ready_timeout", std::to_string(service.ready_timeout.count()) + "ms"},
      {"stop_signal", signal_name(service.stop_signal)},
      {"stop_timeout", std::to_string(service.stop_timeout.count()) + "ms"},
      {"restart", service.restart == RestartPolicy::kOnFailure ? "on_failure" : "never"},
      {"expect_exit", exits_json(service.expect_exit)},
      {"allow_failure", service.allow_failure},
      {"log_limit", std::to_string(service.log_limit / 1024) + "KiB"},
      {"publish", forwards_json(service.publish)},
      {"localhost", forwards_json(service.localhost)},
  };
}

}  // namespace

std::string plan_json(const EnvironmentPlan& plan) {
  Json services = Json::array();
  for (const ServicePlan& service : plan.services) services.push_back(service_json(plan, service));
  const Json root = {
      {"environment", plan.name},
      {"spec_file", plan.spec_file.string()},
      {"hub",
       {{"ipv4", plan.hub_ipv4},
        {"ipv4_prefix", plan.ipv4_prefix},
        {"ipv6", plan.hub_ipv6},
        {"ipv6_prefix", plan.ipv6_prefix}}},
      {"variables", object_of(plan.variables)},
      {"services", std::move(services)},
      {"hosts", plan.hosts},
  };
  // Paths and the values of "lines" may hold bytes that are not UTF-8.
  return root.dump(2, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace) + "\n";
}

}  // namespace isoenv
