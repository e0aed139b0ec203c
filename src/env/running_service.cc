#include "env/running_service.h"

#include <exception>
#include <memory>
#include <utility>
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

RunningService::RunningService(const ServicePlan& plan, SanitizerWatch::Listener sanitizers_)
    : matcher(log_patterns(plan), [this] { ask_again(); }), sanitizers(std::move(sanitizers_)) {}

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

SanitizerWatch::Listener tell_reports(Incidents& incidents, std::size_t service, std::string name,
                                      std::filesystem::path log,
                                      std::function<void(const std::string&)> event) {
  const auto number = std::make_shared<std::uint64_t>(0);
  const auto begins = [&incidents, service, name = std::move(name), log = std::move(log),
                       event = std::move(event),
                       number](const std::string& title, const std::string& line) {
    Incident incident;
    incident.what = "reported " + title;
    incident.report = {line};
    incident.log = log;
    *number = incidents.add(service, std::move(incident));
    event(name + ": reported " + title);
  };
  return {begins, [&incidents, number](const std::string& line) {
            incidents.extend(*number, line);
          }};
}

}  // namespace isoenv
