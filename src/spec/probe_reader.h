// The `ready` list of one service or task: JSON → ProbeSpecs.
#pragma once

#include <vector>

#include "spec/field.h"
#include "spec/spec.h"

namespace isoenv {

/// One ProbeSpec an element, also for faulty ones, so that indices stay as written.
std::vector<ProbeSpec> read_probes(const Field& field, Faults& faults);

/// Checks probes against the service they belong to: ports exist and speak the probe's protocol,
/// `exit` is for tasks and stands once. `where` is the path of `ready`.
void check_probes(const ServiceSpec& service, const std::string& where, Faults& faults);

}  // namespace isoenv
