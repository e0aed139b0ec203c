// `isoenv check`: the plan of a spec, for people or programs. Creates and starts nothing.
#include <iostream>

#include "harness/artefacts.h"
#include "harness/command.h"
#include "harness/instances.h"
#include "harness/options.h"
#include "harness/run_dir.h"

namespace isoenv {

int check_command(const std::vector<std::string>& arguments) {
  const CheckOptions options = parse_check(arguments);
  const EnvironmentSpec spec = load_spec(options.file);

  // The places of the unnamed instance, as far as they are known before it starts.
  const std::string id = instance_id(shared_key(spec.file, "", current_caller()));
  PlanOptions places;
  places.artefact_directory = artefact_root(std::nullopt, spec.name, spec.file) / "latest";
  places.temporary_directory = RunDirectory(run_root_path(), id).temporary_directory(true);
  const EnvironmentPlan plan = plan_spec(spec, places);
  std::cout << (options.json ? plan_json(plan) : plan_text(plan));
  return static_cast<int>(ExitCode::kOk);
}

}  // namespace isoenv
