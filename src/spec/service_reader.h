// One service or task of the spec: JSON → ServiceSpec.
//
// Checks form and everything that shows within the service itself; what needs the other services'
// addresses or order is the plan's. Adds every fault it meets and always returns a service, which
// is only fit for use when no fault was added.
#pragma once

#include <set>
#include <string>

#include "spec/field.h"
#include "spec/spec.h"

namespace isoenv {

/// What a reader must know of the other declarations: their names, to tell services from tasks.
struct DeclaredNames {
  std::set<std::string, std::less<>> services;
  std::set<std::string, std::less<>> tasks;
};

ServiceSpec read_service(const std::string& name, bool is_task, const Field& field,
                         const DeclaredNames& declared, Faults& faults);

}  // namespace isoenv
