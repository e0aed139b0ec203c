#include "plan/addressing.h"

#include <array>
#include <cassert>
#include <charconv>
#include <limits>
#include <map>
#include <set>
#include <unordered_map>

namespace isoenv {
namespace {

constexpr std::uint32_t kFirstAssignedPort = 20000;
constexpr std::uint32_t kHighestPort = std::numeric_limits<std::uint16_t>::max();

char upper(char letter) {
  return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
}

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

std::set<std::uint32_t> fixed_numbers(const EnvironmentSpec& spec) {
  std::set<std::uint32_t> numbers;
  for (const ServiceSpec& service : spec.services) {
    for (const PortSpec& port : service.ports) {
      if (port.number != 0) numbers.insert(port.number);
    }
  }
  return numbers;
}

/// Where each service has its own address, two may fix the same number; here they would meet.
void check_shared_numbers(const EnvironmentSpec& spec, std::vector<Diagnostic>& faults) {
  std::map<std::pair<Protocol, std::uint16_t>, std::string> owners;
  for (const ServiceSpec& service : spec.services) {
    for (const PortSpec& port : service.ports) {
      if (port.number == 0) continue;
      const auto [owner, fresh] =
          owners.emplace(std::pair(port.protocol, port.number), service.name);
      if (fresh || owner->second == service.name) continue;
      faults.push_back({spec_path(service) + ".ports." + port.name,
                        "'" + owner->second + "' and '" + service.name + "' both fix port " +
                            std::to_string(port.number) +
                            ", and without namespaces all services share one loopback",
                        "write \"auto\" instead of the number, and let the service read $PORT"});
    }
  }
}

std::string host_line(const std::string& address, const ServiceSpec& service) {
  std::string line = address + " " + service.name;
  for (const std::string& alias : service.aliases) line += " " + alias;
  return line + "\n";
}

bool is_taken(const EnvironmentSpec& spec, const std::string& host) {
  std::string name;
  for (const char letter : host) name += lower(letter);
  if (name == "localhost") return true;
  for (const ServiceSpec& service : spec.services) {
    if (service.name == name) return true;
    for (const std::string& alias : service.aliases) {
      if (alias == name) return true;
    }
  }
  return false;
}

}  // namespace

std::string ipv4_address(std::size_t host) {
  assert(host < 0xffff);
  return "10.79." + std::to_string(host >> 8) + "." + std::to_string(host & 0xff);
}

std::string ipv6_address(std::size_t host) {
  std::array<char, 16> digits{};
  char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), host, 16).ptr;
  return "fd69:736f:656e:7600::" + std::string(digits.data(), end);
}

std::string spec_path(const ServiceSpec& service) {
  return (service.is_task ? "tasks." : "services.") + service.name;
}

std::string host_of(const ServiceSpec& service, const PlanOptions& options) {
  return options.shared_loopback ? kSharedLoopback : service.name;
}

std::vector<Protocol> assigned_protocols(const EnvironmentSpec& spec) {
  std::vector<Protocol> protocols;
  for (const ServiceSpec& service : spec.services) {
    for (const PortSpec& port : service.ports) {
      if (port.number == 0) protocols.push_back(port.protocol);
    }
  }
  return protocols;
}

std::vector<std::vector<PortPlan>> assign_ports(const EnvironmentSpec& spec,
                                                const PlanOptions& options,
                                                std::vector<Diagnostic>& faults) {
  if (options.shared_loopback) check_shared_numbers(spec, faults);
  const std::set<std::uint32_t> fixed = fixed_numbers(spec);
  std::vector<std::vector<PortPlan>> ports(spec.services.size());
  auto reserved = options.reserved.begin();
  std::uint32_t next = kFirstAssignedPort;
  for (std::size_t i = 0; i < spec.services.size(); ++i) {
    for (const PortSpec& port : spec.services[i].ports) {
      PortPlan plan{port.name, port.number, port.protocol, port.number == 0};
      if (plan.assigned && reserved != options.reserved.end()) {
        plan.number = *reserved++;
      } else if (plan.assigned) {
        while (fixed.contains(next)) ++next;
        if (next > kHighestPort) {
          faults.push_back({spec_path(spec.services[i]) + ".ports." + port.name,
                            "no port number is left to assign", "fix some numbers"});
          return ports;
        }
        plan.number = static_cast<std::uint16_t>(next++);
      }
      ports[i].push_back(std::move(plan));
    }
  }
  return ports;
}

std::string variable_word(std::string_view name) {
  std::string word;
  for (const char letter : name) word += letter == '-' ? '_' : upper(letter);
  return word;
}

std::string url_of(const std::string& host, const PortPlan& port) {
  return "http://" + host + ":" + std::to_string(port.number);
}

const PortPlan* url_port(const std::vector<PortPlan>& ports) {
  for (const PortPlan& port : ports) {
    if (port.protocol == Protocol::kTcp) return &port;
  }
  return nullptr;
}

std::vector<std::pair<std::string, std::string>> environment_variables(
    const EnvironmentSpec& spec, const PlanOptions& options,
    const std::vector<std::vector<PortPlan>>& ports, std::vector<Diagnostic>& faults) {
  std::vector<std::pair<std::string, std::string>> variables;
  std::unordered_map<std::string, std::size_t> owners;
  for (std::size_t i = 0; i < spec.services.size(); ++i) {
    const ServiceSpec& service = spec.services[i];
    const auto add = [&](const std::string& suffix, std::string value) {
      std::string name = "ISOENV_" + variable_word(service.name) + suffix;
      const auto [owner, fresh] = owners.emplace(name, i);
      if (!fresh) {
        faults.push_back({spec_path(service),
                          "the variable " + name + " would also be set for '" +
                              spec.services[owner->second].name + "'",
                          "rename one of the two or its port"});
      }
      variables.emplace_back(std::move(name), std::move(value));
    };
    const std::string host = host_of(service, options);
    add("_HOST", host);
    if (!ports[i].empty()) add("_PORT", std::to_string(ports[i].front().number));
    for (const PortPlan& port : ports[i]) {
      add("_PORT_" + variable_word(port.name), std::to_string(port.number));
    }
    if (const PortPlan* port = url_port(ports[i])) add("_URL", url_of(host, *port));
  }
  return variables;
}

void check_aliases(const EnvironmentSpec& spec, std::vector<Diagnostic>& faults) {
  std::unordered_map<std::string, std::string> owners;
  for (const ServiceSpec& service : spec.services) {
    owners.emplace(service.name, "the name of '" + service.name + "'");
  }
  for (const ServiceSpec& service : spec.services) {
    for (std::size_t i = 0; i < service.aliases.size(); ++i) {
      const std::string& alias = service.aliases[i];
      const auto [owner, fresh] = owners.emplace(alias, "an alias of '" + service.name + "'");
      if (fresh) continue;
      faults.push_back({spec_path(service) + ".aliases[" + std::to_string(i) + "]",
                        "the alias '" + alias + "' is already " + owner->second,
                        "remove or rename one of them"});
    }
  }
}

std::string hosts_text(const EnvironmentSpec& spec, const PlanOptions& options) {
  if (options.shared_loopback) return {};
  std::string text = "127.0.0.1 localhost\n";
  if (options.ipv6) text += "::1 localhost ip6-localhost ip6-loopback\n";
  for (std::size_t i = 0; i < spec.services.size(); ++i) {
    const std::size_t host = kFirstServiceHost + i;
    text += host_line(ipv4_address(host), spec.services[i]);
    if (options.ipv6) text += host_line(ipv6_address(host), spec.services[i]);
  }
  if (!options.hub_hostname.empty() && !is_taken(spec, options.hub_hostname)) {
    text += ipv4_address(kHubHost) + " " + options.hub_hostname + "\n";
    if (options.ipv6) text += ipv6_address(kHubHost) + " " + options.hub_hostname + "\n";
  }
  return text;
}

}  // namespace isoenv
