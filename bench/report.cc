#include "bench/report.h"

#include <cstdarg>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <ostream>

namespace isoenv::bench {
namespace {

[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...) {
  char buffer[200];
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(buffer, sizeof buffer, format, arguments);
  va_end(arguments);
  return buffer;
}

std::string spread(const Series& series) {
  return text("%.2f … %.2f", series.quantile(0.25), series.quantile(0.75));
}

void print_workload(const WorkloadResult& workload, std::ostream& out) {
  for (const Subject& subject : workload.subjects) {
    const double median = subject.values.median();
    const bool shared = workload.services > 0 && workload.unit == "ms";
    const std::string each = shared ? text("%.2f", median / workload.services) : std::string();
    out << text("%-6s %8d  %-11s %9.2f %-6s %20s %9.2f %10s", workload.name.c_str(),
                workload.services, subject.name.c_str(), median, workload.unit.c_str(),
                spread(subject.values).c_str(), subject.values.quantile(1), each.c_str());
    if (!subject.ratios.empty())
      out << text(" %8.2f %16s", subject.ratios.median(), spread(subject.ratios).c_str());
    out << '\n';
  }
}

void print_memory(const std::vector<MemoryResult>& memory, std::ostream& out) {
  if (memory.empty()) return;
  out << "\nmemory of isoenv's own processes (PSS)\n"
         "services  processes  instance KiB  KiB/service\n";
  for (const MemoryResult& result : memory)
    out << text("%8d  %9d  %12.0f  %11.0f\n", result.services, result.processes,
                result.instance.median(), result.instance.median() / result.services);
}

nlohmann::json json_of(const Series& series) {
  return {{"median", series.median()},
          {"quartiles", {series.quantile(0.25), series.quantile(0.75)}},
          {"samples", series.values()}};
}

nlohmann::json json_of(const WorkloadResult& workload) {
  nlohmann::json subjects = nlohmann::json::array();
  for (const Subject& subject : workload.subjects) {
    nlohmann::json entry{{"name", subject.name}, {"values", json_of(subject.values)}};
    if (!subject.ratios.empty()) entry["times_floor"] = json_of(subject.ratios);
    subjects.push_back(std::move(entry));
  }
  return {{"name", workload.name},
          {"services", workload.services},
          {"unit", workload.unit},
          {"subjects", subjects}};
}

}  // namespace

void print_table(const Report& report, std::ostream& out) {
  const Machine& machine = report.machine;
  out << machine.kernel << ", " << machine.cores << " cores (" << machine.cpu << "), "
      << (machine.root ? "root" : "unprivileged") << text(", load %.2f before", machine.load)
      << "\nbuild " << report.build_type << ", " << report.repetitions
      << " repetitions; medians, and the middle half as the spread\n";
  for (const std::string& note : report.notes) out << "note: " << note << '\n';
  for (const auto& [subject, command] : report.commands) out << subject << ": " << command << '\n';
  out << "\nwork   services  subject        median                      spread     worst"
         " ms/service  × floor           spread\n";
  for (const WorkloadResult& workload : report.workloads) print_workload(workload, out);
  print_memory(report.memory, out);
}

void print_json(const Report& report, std::ostream& out) {
  const Machine& machine = report.machine;
  nlohmann::json root{{"version", 2},
                      {"machine",
                       {{"kernel", machine.kernel},
                        {"cpu", machine.cpu},
                        {"cores", machine.cores},
                        {"load", machine.load},
                        {"root", machine.root}}},
                      {"build_type", report.build_type},
                      {"repetitions", report.repetitions},
                      {"notes", report.notes},
                      {"commands", nlohmann::json::object()},
                      {"workloads", nlohmann::json::array()},
                      {"memory", nlohmann::json::array()}};
  for (const auto& [subject, command] : report.commands) root["commands"][subject] = command;
  for (const WorkloadResult& workload : report.workloads)
    root["workloads"].push_back(json_of(workload));
  for (const MemoryResult& result : report.memory)
    root["memory"].push_back({{"services", result.services},
                              {"processes", result.processes},
                              {"instance_kib", json_of(result.instance)},
                              {"kib_per_service", result.instance.median() / result.services}});
  out << root.dump(2) << '\n';
}

}  // namespace isoenv::bench
