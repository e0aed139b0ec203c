#include "plan/plan.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "plan/addressing.h"
#include "plan/exec_limits.h"
#include "plan/graph.h"
#include "plan/render.h"
#include "spec/limits.h"

namespace isoenv {
namespace {

using Faults = std::vector<Diagnostic>;
using PortTable = std::vector<std::vector<PortPlan>>;
using NameIndex = std::unordered_map<std::string, std::size_t>;

constexpr char kSharedPlace[] = "the loopback that all share without namespaces";

/// Services on a shared loopback are reached at 127.0.0.1 alone.
bool has_ipv6(const PlanOptions& options) { return options.ipv6 && !options.shared_loopback; }

NameIndex index_names(const EnvironmentSpec& spec) {
  NameIndex index;
  for (std::size_t i = 0; i < spec.services.size(); ++i) index.emplace(spec.services[i].name, i);
  return index;
}

/// Why a dependency's name is unknown, and what was probably meant.
std::string unknown_hint(const EnvironmentSpec& spec, const std::string& name) {
  std::vector<std::string> names;
  for (const ServiceSpec& service : spec.services) {
    const auto& aliases = service.aliases;
    if (std::find(aliases.begin(), aliases.end(), name) != aliases.end()) {
      return "it is an alias: write '" + service.name + "'";
    }
    names.push_back(service.name);
  }
  return suggest(name, names);
}

/// The dependencies of every service by index in the spec; unknown names are faults and left out.
DependencyGraph dependency_graph(const EnvironmentSpec& spec, const NameIndex& index,
                                 Faults& faults) {
  DependencyGraph graph(spec.services.size());
  for (std::size_t i = 0; i < spec.services.size(); ++i) {
    for (const DependencySpec& dependency : spec.services[i].depends) {
      const auto found = index.find(dependency.name);
      if (found != index.end()) {
        graph[i].push_back(found->second);
        continue;
      }
      faults.push_back({spec_path(spec.services[i]) + ".depends",
                        "there is no service or task " + in_quotes(dependency.name),
                        unknown_hint(spec, dependency.name)});
    }
  }
  return graph;
}

Diagnostic cycle_fault(const EnvironmentSpec& spec, const DependencyCycle& cycle) {
  std::string path;
  for (const std::size_t node : cycle.nodes) path += spec.services[node].name + " → ";
  const ServiceSpec& first = spec.services[cycle.nodes.front()];
  return {spec_path(first) + ".depends", "dependency cycle: " + path + first.name,
          "remove one of these dependencies"};
}

/// On a loopback that all share, a port is offered there as it is: any number means its own.
std::vector<ForwardPlan> plan_forwards(const std::vector<ForwardSpec>& forwards,
                                       const std::vector<PortPlan>& ports, bool shared_loopback) {
  std::vector<ForwardPlan> plans;
  for (const ForwardSpec& forward : forwards) {
    for (const PortPlan& port : ports) {
      if (port.name != forward.port) continue;
      const std::uint16_t own = forward.number != 0 ? forward.number : port.number;
      const bool any = forward.automatic && !shared_loopback;
      plans.push_back({port.name, port.number, any ? std::uint16_t{0} : own});
    }
  }
  return plans;
}

/// Numbers taken on one loopback: by which service and port.
class LoopbackPorts {
 public:
  /// `place`: how faults name the loopback.
  LoopbackPorts(const EnvironmentSpec& spec, std::string place, Faults& faults)
      : spec_(spec), place_(std::move(place)), faults_(faults) {}

  /// The services' own TCP ports with fixed numbers are on this loopback too.
  void claim_own_ports() {
    for (std::size_t i = 0; i < spec_.services.size(); ++i) {
      for (const PortSpec& port : spec_.services[i].ports) {
        if (port.number == 0 || port.protocol != Protocol::kTcp) continue;
        taken_.emplace(port.number, Claim{i, port.name});
      }
    }
  }

  /// `key`: the word of the spec that asks for it.
  void claim(std::size_t service, const std::string& key,
             const std::vector<ForwardPlan>& forwards) {
    for (const ForwardPlan& forward : forwards) {
      if (forward.number == 0) continue;
      const Claim claim{service, forward.port};
      const auto [taken, fresh] = taken_.emplace(forward.number, claim);
      if (fresh || (place_ == kSharedPlace && taken->second == claim)) continue;
      const ServiceSpec& here = spec_.services[service];
      const std::string other = spec_.services[taken->second.service].name;
      faults_.push_back({spec_path(here) + "." + key + "." + forward.port,
                         "'" + here.name + "' (port '" + forward.port + "') and '" + other +
                             "' (port '" + taken->second.port + "') both take port " +
                             std::to_string(forward.number) + " of " + place_,
                         "give one of them another number"});
    }
  }

 private:
  struct Claim {
    std::size_t service;
    std::string port;
    bool operator==(const Claim&) const = default;
  };

  const EnvironmentSpec& spec_;
  std::string place_;
  Faults& faults_;
  std::map<std::uint16_t, Claim> taken_;
};

/// Builds one ServicePlan after the other, in the order of the spec.
class ServicePlanner {
 public:
  ServicePlanner(const EnvironmentSpec& spec, const PlanOptions& options, const PortTable& ports,
                 std::size_t shared_bytes, Faults& faults)
      : spec_(spec),
        options_(options),
        ports_(ports),
        shared_bytes_(shared_bytes),
        faults_(faults),
        renderer_(spec, ports, options, faults),
        publish_(spec, options.shared_loopback ? kSharedPlace : "the host's localhost", faults),
        localhost_(spec, "localhost", faults) {
    if (options.shared_loopback) publish_.claim_own_ports();
  }

  ServicePlan plan(std::size_t self) {
    const ServiceSpec& service = spec_.services[self];
    const std::string where = spec_path(service);
    ServicePlan plan;
    plan.name = service.name;
    plan.is_task = service.is_task;
    plan.ipv4 = options_.shared_loopback ? kSharedLoopback : ipv4_address(kFirstServiceHost + self);
    if (has_ipv6(options_)) plan.ipv6 = ipv6_address(kFirstServiceHost + self);
    plan.aliases = service.aliases;
    plan.ports = ports_[self];
    plan.command = render_command(service.command, self, where + ".command");
    plan.launcher = render_command(service.launcher, self, where + ".launcher");
    plan.working_directory = working_directory(service, self, where + ".working_directory");
    plan.scratch_directory = options_.artefact_directory / service.name;
    plan.env_mode = service.env_mode;
    plan.env = environment(service, self, where + ".env");
    plan.secret_env = service.secret_env;
    plan.user = service.user;
    plan.ready = probes(service, self, where + ".ready");
    plan.ready_timeout = service.ready_timeout;
    plan.stop_signal = service.stop_signal;
    plan.stop_timeout = service.stop_timeout;
    plan.restart = service.restart;
    plan.expect_exit = service.expect_exit;
    plan.allow_failure = service.allow_failure;
    plan.log_limit = service.log_limit;
    plan.publish = plan_forwards(service.publish, plan.ports, options_.shared_loopback);
    plan.localhost = plan_forwards(service.localhost, plan.ports, options_.shared_loopback);
    publish_.claim(self, "publish", plan.publish);
    (options_.shared_loopback ? publish_ : localhost_).claim(self, "localhost", plan.localhost);
    check_exec_limits(plan, shared_bytes_, where, faults_);
    return plan;
  }

  const std::set<std::filesystem::path>& scratch_directories() const noexcept {
    return renderer_.scratch_directories();
  }

 private:
  /// Renders a text that must not be empty then; a template that failed is fault enough.
  std::string render_text(const std::string& text, std::size_t self, const std::string& where,
                          const std::string& what) {
    const std::size_t faults_before = faults_.size();
    std::string rendered = renderer_.render(text, self, where);
    if (rendered.empty() && faults_.size() == faults_before) {
      faults_.push_back({where, what + " is empty once rendered", ""});
    }
    return rendered;
  }

  std::vector<std::string> render_command(const std::vector<std::string>& command, std::size_t self,
                                          const std::string& where) {
    std::vector<std::string> rendered;
    // Past what can be started it is refused as it is: no use rendering the rest.
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < command.size() && bytes <= kLargestProgram; ++i) {
      const std::string here = where + "[" + std::to_string(i) + "]";
      rendered.push_back(i == 0 ? render_text(command[i], self, here, "the program's name")
                                : renderer_.render(command[i], self, here));
      bytes += rendered.back().size() + 1;
    }
    return rendered;
  }

  std::filesystem::path working_directory(const ServiceSpec& service, std::size_t self,
                                          const std::string& where) {
    const std::filesystem::path folder =
        spec_.file.empty() ? std::filesystem::path("/") : spec_.file.parent_path();
    const std::string rendered = renderer_.render(service.working_directory, self, where);
    const std::filesystem::path path = (folder / rendered).lexically_normal();
    return path.has_filename() ? path : path.parent_path();
  }

  std::vector<std::pair<std::string, std::string>> environment(const ServiceSpec& service,
                                                               std::size_t self,
                                                               const std::string& where) {
    const std::vector<PortPlan>& ports = ports_[self];
    std::vector<std::pair<std::string, std::string>> env;
    if (!ports.empty()) env.emplace_back("PORT", std::to_string(ports.front().number));
    for (const PortPlan& port : ports) {
      env.emplace_back("PORT_" + variable_word(port.name), std::to_string(port.number));
    }
    env.emplace_back("SERVICE_NAME", service.name);
    env.emplace_back("TMPDIR", (options_.temporary_directory / service.name).string());
    for (const auto& [key, value] : spec_.env) {
      env.emplace_back(key, renderer_.render(value, self, "env." + key));
    }
    for (const auto& [key, value] : service.env) {
      env.emplace_back(key, renderer_.render(value, self, where + "." + key));
    }
    return env;
  }

  std::vector<ProbePlan> probes(const ServiceSpec& service, std::size_t self,
                                const std::string& where) {
    std::vector<ProbePlan> plans;
    bool has_exit = false;
    for (std::size_t i = 0; i < service.ready.size(); ++i) {
      plans.push_back(probe(service.ready[i], self, where + "[" + std::to_string(i) + "]"));
      has_exit = has_exit || plans.back().kind == ProbeKind::kExit;
    }
    if (service.is_task) {
      // A task that has not exited is not ready, whatever else it was asked.
      if (!has_exit) plans.emplace_back().kind = ProbeKind::kExit;
    } else if (plans.empty()) {
      for (const PortPlan& port : ports_[self]) {
        if (port.protocol != Protocol::kTcp) continue;
        ProbePlan& tcp = plans.emplace_back();
        tcp.port_name = port.name;
        tcp.port = port.number;
      }
    }
    return plans;
  }

  ProbePlan probe(const ProbeSpec& spec, std::size_t self, const std::string& where) {
    ProbePlan plan;
    plan.kind = spec.kind;
    plan.port_name = spec.port;
    for (const PortPlan& port : ports_[self]) {
      if (port.name == spec.port) plan.port = port.number;
    }
    plan.status = spec.status;
    plan.pattern = spec.pattern;
    switch (spec.kind) {
      case ProbeKind::kHttp:
        plan.path = render_target(spec.path, self, where + ".path");
        break;
      case ProbeKind::kFile:
      case ProbeKind::kUnix: {
        const std::string here = where + (spec.kind == ProbeKind::kFile ? ".file" : ".unix");
        plan.path = render_text(spec.path, self, here, "the path");
        break;
      }
      case ProbeKind::kExec:
        plan.command = render_command(spec.command, self, where + ".exec");
        break;
      default:
        break;
    }
    return plan;
  }

  /// A request target is visible ASCII and begins with '/' (RFC 9112, 3.2.1).
  std::string render_target(const std::string& text, std::size_t self, const std::string& where) {
    const std::size_t faults_before = faults_.size();
    const std::string target = renderer_.render(text, self, where);
    if (faults_.size() != faults_before) return target;
    const bool visible = std::all_of(target.begin(), target.end(),
                                     [](char letter) { return letter > ' ' && letter < 0x7f; });
    if (!target.starts_with("/")) {
      faults_.push_back({where, "the path " + in_quotes(target) + " does not begin with '/'", ""});
    } else if (!visible) {
      faults_.push_back({where,
                         "the path " + in_quotes(target) + " has a character no request can carry",
                         "percent-encode it, a space is %20"});
    }
    return target;
  }

  const EnvironmentSpec& spec_;
  const PlanOptions& options_;
  const PortTable& ports_;
  std::size_t shared_bytes_;
  Faults& faults_;
  Renderer renderer_;
  LoopbackPorts publish_;
  LoopbackPorts localhost_;
};

/// Moves the plans into start order and points dependencies at their new places.
std::vector<ServicePlan> in_start_order(const EnvironmentSpec& spec, const NameIndex& index,
                                        const StartOrder& order, std::vector<ServicePlan> plans) {
  std::vector<std::size_t> places(plans.size());
  for (std::size_t place = 0; place < order.nodes.size(); ++place) {
    places[order.nodes[place]] = place;
  }
  std::vector<ServicePlan> ordered;
  ordered.reserve(plans.size());
  for (const std::size_t node : order.nodes) {
    for (const DependencySpec& dependency : spec.services[node].depends) {
      plans[node].depends.push_back({places[index.at(dependency.name)], dependency.need});
    }
    ordered.push_back(std::move(plans[node]));
  }
  return ordered;
}

/// A template of the environment's own `env` fails once for every service: one line is enough.
void drop_repeated(Faults& faults) {
  Faults kept;
  for (Diagnostic& fault : faults) {
    const bool shared = fault.where.starts_with("env.");
    if (shared && std::find(kept.begin(), kept.end(), fault) != kept.end()) continue;
    kept.push_back(std::move(fault));
  }
  faults = std::move(kept);
}

}  // namespace

std::size_t EnvironmentPlan::find(const std::string& service) const {
  const auto found = std::find_if(services.begin(), services.end(),
                                  [&](const ServicePlan& plan) { return plan.name == service; });
  return static_cast<std::size_t>(found - services.begin());
}

std::vector<std::size_t> EnvironmentPlan::closure(const std::vector<std::size_t>& wanted) const {
  std::vector<bool> needed(services.size(), wanted.empty());
  for (const std::size_t service : wanted) needed.at(service) = true;
  // Dependencies stand before their dependents, so one walk from the end reaches them all.
  for (std::size_t i = services.size(); i-- > 0;) {
    if (!needed[i]) continue;
    for (const DependencyPlan& dependency : services[i].depends) needed[dependency.service] = true;
  }
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < services.size(); ++i) {
    if (needed[i]) order.push_back(i);
  }
  return order;
}

PlanResult make_plan(const EnvironmentSpec& spec, const PlanOptions& options) {
  Faults faults;
  EnvironmentPlan plan;
  plan.name = spec.name;
  plan.spec_file = spec.file;
  plan.shared_loopback = options.shared_loopback;
  plan.hub_ipv4 = options.shared_loopback ? kSharedLoopback : ipv4_address(kHubHost);
  if (has_ipv6(options)) plan.hub_ipv6 = ipv6_address(kHubHost);

  check_aliases(spec, faults);
  const NameIndex index = index_names(spec);
  const DependencyGraph graph = dependency_graph(spec, index, faults);
  const auto order = start_order(graph);
  if (const auto* cycle = std::get_if<DependencyCycle>(&order)) {
    faults.push_back(cycle_fault(spec, *cycle));
  }

  const PortTable ports = assign_ports(spec, options, faults);
  plan.variables = environment_variables(spec, options, ports, faults);
  ServicePlanner planner(spec, options, ports, exec_bytes(plan.variables), faults);
  std::vector<ServicePlan> services;
  services.reserve(spec.services.size());
  for (std::size_t i = 0; i < spec.services.size(); ++i) services.push_back(planner.plan(i));

  if (!faults.empty()) {
    drop_repeated(faults);
    return faults;
  }
  plan.services = in_start_order(spec, index, std::get<StartOrder>(order), std::move(services));
  const std::set<std::filesystem::path>& scratch = planner.scratch_directories();
  plan.scratch_directories.assign(scratch.begin(), scratch.end());
  plan.hosts = hosts_text(spec, options);
  return plan;
}

}  // namespace isoenv
