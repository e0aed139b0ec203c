// Addresses, port numbers and host names of an environment, and the variables that tell them.
//
// Everything follows from the place of a service in the spec and from the ports it fixed, so that
// the same spec gives the same numbers in every instance. Indices are those of
// EnvironmentSpec::services.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plan/plan.h"
#include "spec/diagnostic.h"
#include "spec/spec.h"

namespace isoenv {

/// The hub's own host number; service i has kFirstServiceHost + i.
inline constexpr std::size_t kHubHost = 1;
inline constexpr std::size_t kFirstServiceHost = 2;

/// Where all services live without namespaces.
inline constexpr char kSharedLoopback[] = "127.0.0.1";

/// `10.79.0.2` for 2; below 65535, 10.79.0.0/16.
std::string ipv4_address(std::size_t host);
/// `fd69:736f:656e:7600::2` for 2: fd, then "isoenv" in ASCII, a unique local prefix (RFC 4193).
std::string ipv6_address(std::size_t host);

/// `services.user` or `tasks.seed`.
std::string spec_path(const ServiceSpec& service);

/// Where others reach a service: by its name, or on the loopback that all share.
std::string host_of(const ServiceSpec& service, const PlanOptions& options);

/// The protocols of the ports that have no fixed number, in the order written.
std::vector<Protocol> assigned_protocols(const EnvironmentSpec& spec);

/// The ports of every service with their numbers: as fixed, as reserved, or from 20000 upwards in
/// the order written, leaving out all numbers fixed by any service. On a shared loopback a number
/// that two services fix is a fault.
std::vector<std::vector<PortPlan>> assign_ports(const EnvironmentSpec& spec,
                                                const PlanOptions& options,
                                                std::vector<Diagnostic>& faults);

/// A name as part of a variable's: `USER_API` for `user-api`.
std::string variable_word(std::string_view name);

/// `http://user:3000`.
std::string url_of(const std::string& host, const PortPlan& port);
/// The port a service's URL leads to: its first TCP port; nullptr when it has none.
const PortPlan* url_port(const std::vector<PortPlan>& ports);

/// ISOENV_<SERVICE>_HOST, _PORT, _PORT_<NAME>, _URL of every service. Two services that would set
/// the same variable are a fault.
std::vector<std::pair<std::string, std::string>> environment_variables(
    const EnvironmentSpec& spec, const PlanOptions& options,
    const std::vector<std::vector<PortPlan>>& ports, std::vector<Diagnostic>& faults);

/// Adds a fault for every alias that is also another name.
void check_aliases(const EnvironmentSpec& spec, std::vector<Diagnostic>& faults);

/// The text of /etc/hosts (hosts(5)) inside the instance; "" on a shared loopback.
std::string hosts_text(const EnvironmentSpec& spec, const PlanOptions& options);

}  // namespace isoenv
