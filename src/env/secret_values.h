// The values of secret_env: where they come from, and what is wrong with them.
//
// Values exist in the memory of IsoEnv and in the environments of the services that name them, and
// nowhere else.
#pragma once

#include <memory>
#include <vector>

#include "env/program_environment.h"
#include "plan/plan.h"
#include "process/redactor.h"
#include "spec/diagnostic.h"

namespace isoenv {

/// Every secret of the spec that `environment` does not set, or to what cannot be masked. No fault
/// tells a value.
std::vector<Diagnostic> secret_faults(const EnvironmentSpec& spec, const Variables& environment);

/// Removes the plan's secrets from `environment` and returns them: no service inherits the secret
/// of another.
Variables take_secrets(const EnvironmentPlan& plan, Variables& environment);

/// Their values, to be masked in output.
std::shared_ptr<const Secrets> make_secrets(const Variables& values);

}  // namespace isoenv
