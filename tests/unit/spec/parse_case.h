// Short ways to parse a spec, or part of one, in a test.
#pragma once

#include <string>

#include "spec/parse.h"

namespace isoenv {

/// The spec; the test fails with its faults when it has any.
EnvironmentSpec parse_good(const std::string& text);
/// All faults, one a line; "" when there is none.
std::string faults_of(const std::string& text);

/// A whole spec around `members` of the service `user`, which has a command.
std::string with_service(const std::string& members);
/// The same for the task `seed`, beside a service `user`.
std::string with_task(const std::string& members);

/// The service `user`, or the task `seed`, that those specs hold.
ServiceSpec good_service(const std::string& members);
ServiceSpec good_task(const std::string& members);

}  // namespace isoenv
