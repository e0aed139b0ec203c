#include <iostream>

#include "harness/command.h"
#include "harness/instances.h"
#include "harness/isolation_choice.h"
#include "harness/options.h"
#include "harness/session.h"

namespace isoenv {
namespace {

/// What the services have for isolation.
std::string rung_text(const Lease& lease) {
  std::string text = "rung '" + lease.rung + "'";
  if (!has_namespaces(lease.rung)) {
    text += ": " + (lease.refusal.empty() ? "no namespaces, as was asked for"
                                          : degraded_text(lease.refusal));
  }
  return text + "\n";
}

}  // namespace

int ps_command(const std::vector<std::string>& arguments) {
  const PsOptions options = parse_ps(arguments);
  Reached reached = reach_instance({options.file, options.name});
  const std::optional<Answer> answer = reached.client.ask({Request::Kind::kPs, {}});
  if (!answer || answer->ending) throw Error("the instance has just ended");
  if (answer->error) throw *answer->error;
  if (options.json) {
    std::cout << answer->report << std::endl;
  } else {
    std::cout << statuses_text(statuses_from_json(answer->report))
              << rung_text(reached.instance.lease) << std::flush;
  }
  return 0;
}

}  // namespace isoenv
