#include <algorithm>

#include "base/text.h"
#include "plan/plan.h"

namespace isoenv {
namespace {

using Row = std::vector<std::string>;

std::string count_of(std::size_t count, const std::string& thing) {
  return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

std::string ports_text(const ServicePlan& service) {
  Row parts;
  for (const PortPlan& port : service.ports) {
    parts.push_back(port.name + " " + std::to_string(port.number) +
                    (port.protocol == Protocol::kUdp ? "/udp" : "") +
                    (port.assigned ? " (assigned)" : ""));
  }
  return join(parts, ", ");
}

std::string depends_text(const EnvironmentPlan& plan, const ServicePlan& service) {
  Row parts;
  for (const DependencyPlan& dependency : service.depends) {
    const char* need = dependency.need == Need::kStarted     ? " started"
                       : dependency.need == Need::kCompleted ? " completed"
                                                             : " ready";
    parts.push_back(plan.services[dependency.service].name + need);
  }
  return join(parts, ", ");
}

std::string probe_text(const ProbePlan& probe) {
  switch (probe.kind) {
    case ProbeKind::kTcp:
      return "tcp " + probe.port_name;
    case ProbeKind::kUdp:
      return "udp " + probe.port_name;
    case ProbeKind::kHttp:
      return "http " + probe.port_name + " " + probe.path +
             (probe.status != 0 ? " " + std::to_string(probe.status) : "") +
             (probe.pattern.empty() ? "" : " body " + in_quotes(probe.pattern));
    case ProbeKind::kLog:
      return "log " + in_quotes(probe.pattern);
    case ProbeKind::kExec:
      return "exec " + in_quotes(join(probe.command, " "));
    case ProbeKind::kFile:
      return "file " + in_quotes(probe.path);
    case ProbeKind::kUnix:
      return "unix " + in_quotes(probe.path);
    case ProbeKind::kNotify:
      return "notify";
    case ProbeKind::kExit:
      return "exit " + std::to_string(probe.status);
  }
  return {};
}

std::string ready_text(const ServicePlan& service) {
  if (service.ready.empty()) return "started";
  Row parts;
  for (const ProbePlan& probe : service.ready) parts.push_back(probe_text(probe));
  return join(parts, ", ");
}

Row with_dashes(Row row) {
  for (std::string& cell : row) {
    if (cell.empty()) cell = "-";
  }
  return row;
}

/// Columns as wide as their widest cell, two spaces apart; the last is not padded.
std::string table(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text += std::string(widths[i] - row[i].size() + 2, ' ');
    }
    text += '\n';
  }
  return text;
}

void add_forwards(const ServicePlan& service, const std::vector<ForwardPlan>& forwards,
                  const std::string& loopback, std::vector<Row>& rows) {
  for (const ForwardPlan& forward : forwards) {
    rows.push_back({service.name + " " + forward.port,
                    loopback + (forward.number == 0 ? ", any free port"
                                                    : ":" + std::to_string(forward.number))});
  }
}

}  // namespace

std::string plan_text(const EnvironmentPlan& plan) {
  std::vector<Row> rows = {{"#", "NAME", "KIND", "ADDRESS", "PORTS", "DEPENDS", "READY"}};
  std::vector<Row> forwards = {{"PORT", "ALSO ON"}};
  std::vector<Row> accounts = {{"NAME", "RUNS AS", "SECRETS"}};
  std::size_t tasks = 0;
  for (const ServicePlan& service : plan.services) {
    tasks += service.is_task ? 1 : 0;
    Row row = {std::to_string(rows.size()),
               service.name,
               service.is_task ? "task" : "service",
               service.ipv4,
               ports_text(service),
               depends_text(plan, service),
               ready_text(service)};
    rows.push_back(with_dashes(std::move(row)));
    add_forwards(service, service.localhost, "localhost", forwards);
    add_forwards(service, service.publish, "the host's localhost", forwards);
    if (!service.user.empty() || !service.secret_env.empty()) {
      accounts.push_back(with_dashes({service.name, service.user, join(service.secret_env, ", ")}));
    }
  }
  std::string text = "environment " + plan.name + ": " +
                     count_of(plan.services.size() - tasks, "service") + ", " +
                     count_of(tasks, "task") + ", in start order\n";
  if (rows.size() > 1) text += "\n" + table(rows);
  if (forwards.size() > 1) text += "\n" + table(forwards);
  if (accounts.size() > 1) text += "\n" + table(accounts);
  return text;
}

}  // namespace isoenv
