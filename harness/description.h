// What programs are told of an instance that is up: its places, its variables, and of each service
// the host, the ports, the URLs and the log. `isoenv env --json` prints it, and the client library
// reads it; docs/cli.md has its members.
#pragma once

#include <filesystem>
#include <string>

#include "harness/run_dir.h"
#include "plan/plan.h"

namespace isoenv {

/// Rises when a member goes or means something else, not when one is added.
inline constexpr int kDescriptionVersion = 1;

/// JSON on one line. What does not change while the instance lives: states are those of `ps`.
std::string describe_instance(const EnvironmentPlan& plan, const RunDirectory& directory,
                              const std::filesystem::path& artefacts, const std::string& rung);

/// `NAME=value` lines of such a description's variables.
std::string variables_text(const std::string& description);

}  // namespace isoenv
