// Short ways to plan a spec in a test.
#pragma once

#include <string>

#include "plan/plan.h"

namespace isoenv {

/// `/art`, `/tmp`, no hub host name, IPv6.
PlanOptions case_options();
/// Parses the spec of an environment `shop` with these services and tasks (members of the JSON
/// objects, without braces), as if from `/project/shop.json`.
EnvironmentSpec spec_of(const std::string& services, const std::string& tasks = {});

/// The plan; the test fails with its faults when it has any.
EnvironmentPlan good_plan(const EnvironmentSpec& spec, const PlanOptions& options = case_options());
/// All faults, one a line; "" when there is none.
std::string plan_faults(const EnvironmentSpec& spec);

/// Names of the plan's services in start order: `user, seed, order`.
std::string order_of(const EnvironmentPlan& plan);
/// One service or task of the plan; the test fails when it is not there.
const ServicePlan& service_of(const EnvironmentPlan& plan, const std::string& name);
/// The last value of a variable of the service, `<unset>` when there is none.
std::string env_of(const ServicePlan& service, const std::string& key);

}  // namespace isoenv
