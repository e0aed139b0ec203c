// The ports of one service, and where they are offered beside it: JSON → PortSpecs, ForwardSpecs.
#pragma once

#include <string>
#include <vector>

#include "spec/field.h"
#include "spec/spec.h"

namespace isoenv {

/// {"http": 3000, "admin": "auto", "stats": "8125/udp"}. A port whose number is faulty is kept, so
/// that those who name it are not at fault too.
std::vector<PortSpec> read_ports(const Field& field, Faults& faults);

/// {"http": 8080} or ["http"]; with `allow_auto` also {"http": "auto"}.
std::vector<ForwardSpec> read_forwards(const Field& field, bool allow_auto, Faults& faults);

/// Checks that the service has the port and that it speaks `protocol`; if it does not, the fault
/// gives `reason`: `'http' asks a TCP port`.
void check_port(const ServiceSpec& service, const std::string& port, Protocol protocol,
                const std::string& where, const std::string& reason, Faults& faults);

/// Checks that forwarded ports exist and are TCP. `where` is the path of the list.
void check_forwards(const ServiceSpec& service, const std::vector<ForwardSpec>& forwards,
                    const std::string& where, Faults& faults);

}  // namespace isoenv
