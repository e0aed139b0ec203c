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
  return {begins,
          [&incidents, number](const std::string& line) { incidents.extend(*number, line); }};
}

ProbeContext probe_context(const EnvironmentPlan& plan, std::size_t service, Site& site,
                           std::shared_ptr<const Secrets> secrets,
                           std::shared_ptr<RunningService> self) {
  const ServicePlan& service_plan = plan.services[service];
  ProbeContext context;
  context.name = service_plan.name;
  context.ipv4 = service_plan.ipv4;
  context.ipv6 = service_plan.ipv6;
  context.working_directory = service_plan.working_directory;
  context.listening_sockets = [&site, service](Protocol protocol) {
    return site.listening(service, protocol);
  };
  if (plan.shared_loopback) {
    context.other_holder = [&site, service](Protocol protocol, std::uint16_t port) {
      return site.other_holder(service, protocol, port);
    };
  }
  context.log_matches = [self](const std::string& pattern) {
    return self->matcher.matches(pattern);
  };
  context.notified_ready = [self] { return self->notify && self->notify->ready(); };
  context.notify_status = [secrets, self] {
    return self->notify ? secrets->redact_cut(self->notify->status()) : std::string();
  };
  context.on_change = [self](std::function<void()> wake) { self->wake = std::move(wake); };
  context.run_command =
      [secrets, self, &service_plan](
          std::vector<std::string> command,
          std::chrono::milliseconds timeout) -> boost::asio::awaitable<CommandOutcome> {
    std::size_t index = 0;
    for (const ProbePlan& probe : service_plan.ready) {
      if (probe.kind != ProbeKind::kExec) continue;
      if (probe.command == command) break;
      ++index;
    }
    self->probe_output->clear();
    const ProbeCommandResult result = co_await self->sandbox->run_probe(index, timeout);
    const std::string output = self->probe_output->last(!secrets->empty());
    co_return CommandOutcome{result.finished, result.status, secrets->redact_cut(output),
                             result.error};
  };
  return context;
}

}  // namespace isoenv
