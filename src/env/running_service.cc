#include "env/running_service.h"

#include <exception>
#include <vector>

namespace isoenv {
namespace {

std::vector<std::string> log_patterns(const ServicePlan& plan) {
  std::vector<std::string> patterns;
  for (const ProbePlan& probe : plan.ready) {
    if (probe.kind == ProbeKind::kLog) patterns.push_back(probe.pattern);
  }
  return patterns;
}

}  // namespace

RunningService::RunningService(const ServicePlan& plan)
    : matcher(log_patterns(plan), [this] { ask_again(); }) {}

std::string RunningService::match(const std::function<void()>& step) {
  if (matcher_failed) return "";
  try {
    step();
    return "";
  } catch (const std::exception& error) {
    matcher_failed = true;
    return std::string("log probes given up: ") + error.what();
  }
}

}  // namespace isoenv
