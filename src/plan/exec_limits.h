// What a program's arguments and variables take of what execve(2) allows: told before anything
// starts, and not by a start that fails.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "plan/plan.h"
#include "spec/diagnostic.h"

namespace isoenv {

/// As the kernel counts: each with its NUL and a pointer to it.
std::size_t exec_bytes(const std::vector<std::string>& arguments);
std::size_t exec_bytes(const std::vector<std::pair<std::string, std::string>>& variables);

/// Adds a fault for each variable and path of the service that is too long, and one when a
/// program's arguments and variables together are too much; a single argument the Renderer has
/// bounded. `shared` is what the variables take that every service gets; `where` is the service's
/// place.
void check_exec_limits(const ServicePlan& service, std::size_t shared, const std::string& where,
                       std::vector<Diagnostic>& faults);

}  // namespace isoenv
