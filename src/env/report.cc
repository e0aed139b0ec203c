#include "env/report.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/printable.h"
#include "base/text.h"

namespace isoenv {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kStateNames = {"down",      "waiting", "starting",  "ready",
                                    "completed", "failed",  "exited",    "stopping",
                                    "paused",    "stopped", "restarting"};
constexpr std::array kHowNames = {"not running", "stopped", "killed"};

template <typename Enum, typename Names>
Enum from_name(const Names& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  return static_cast<Enum>(found == names.end() ? 0 : found - names.begin());
}

/// Services may write any bytes; JSON carries what is valid UTF-8 and marks the rest.
std::string json_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Rows with as many cells as `header`, columns aligned by what a terminal shows (UTF-8).
std::string table(const std::vector<std::vector<std::string>>& rows) {
  const auto width = [](const std::string& text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
    }));
  };
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - width(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

std::string duration_text(std::chrono::milliseconds duration) {
  const auto seconds = duration.count() / 1000;
  if (seconds >= 3600) {
    return std::to_string(seconds / 3600) + "h" + std::to_string(seconds % 3600 / 60) + "m";
  }
  if (seconds >= 60) return std::to_string(seconds / 60) + "m" + std::to_string(seconds % 60) + "s";
  std::ostringstream text;
  text.precision(1);
  text << std::fixed << static_cast<double>(duration.count()) / 1000.0 << "s";
  return text.str();
}

/// What services wrote may be on its way to a terminal.
std::string shown(const std::string& line) { return printable(line, Colours::kDrop); }

Json failures_json(const std::vector<ServiceFailure>& list) {
  Json failures = Json::array();
  for (const ServiceFailure& failure : list) {
    failures.push_back({{"service", failure.service},
                        {"what", failure.what},
                        {"diagnosis", failure.diagnosis},
                        {"last_lines", failure.last_lines},
                        {"log", failure.log.string()}});
  }
  return failures;
}

std::vector<ServiceFailure> failures_from(const Json& array) {
  std::vector<ServiceFailure> failures;
  for (const Json& failure : array) {
    failures.push_back({failure.at("service"), failure.at("what"), failure.at("diagnosis"),
                        failure.at("last_lines"), failure.at("log").get<std::string>()});
  }
  return failures;
}

std::string cause_text(const ServiceFailure& failure) {
  std::string text = shown(failure.what) + "\n";
  for (const std::string& line : failure.diagnosis) text += "    " + shown(line) + "\n";
  if (failure.last_lines.empty()) return text;
  text += "    its last output:\n";
  for (const std::string& line : failure.last_lines) text += "      | " + shown(line) + "\n";
  return text;
}

}  // namespace

const char* state_name(ServiceState state) noexcept {
  return kStateNames[static_cast<std::size_t>(state)];
}

std::string to_json(const std::vector<ServiceFailure>& failures) {
  return json_text(failures_json(failures));
}

std::vector<ServiceFailure> failures_from_json(const std::string& text) {
  return failures_from(Json::parse(text));
}

std::string to_json(const UpReport& report) {
  Json paused = Json::array();
  for (const PausedStart& start : report.paused) {
    paused.push_back({{"service", start.service}, {"pid", start.pid}});
  }
  Json json = {{"environment", report.environment},
               {"wanted", report.wanted},
               {"up", report.failures.empty() && report.paused.empty()},
               {"failures", failures_json(report.failures)},
               {"warnings", report.warnings},
               {"rung", report.rung},
               {"refusal", report.refusal},
               {"paused", paused},
               {"waiting", report.waiting}};
  if (!report.timing.empty()) json["timing"] = Json::parse(report.timing);
  return json_text(json);
}

UpReport up_report_from_json(const std::string& text) {
  const Json json = Json::parse(text);
  UpReport report{json.at("environment"), json.at("wanted"), failures_from(json.at("failures")),
                  json.at("warnings"),    json.at("rung"),   json.at("refusal")};
  for (const Json& start : json.at("paused")) {
    report.paused.push_back({start.at("service"), start.at("pid")});
  }
  report.waiting = json.at("waiting").get<std::vector<std::string>>();
  return report;
}

std::string to_json(const DownReport& report) {
  Json stops = Json::array();
  for (const ServiceStop& stop : report.stops) {
    stops.push_back({{"service", stop.service},
                     {"how", kHowNames[static_cast<std::size_t>(stop.how)]},
                     {"status", stop.status}});
  }
  return json_text({{"stops", stops},
                    {"problems", report.problems},
                    {"incidents", Json::parse(to_json(report.incidents))}});
}

DownReport down_report_from_json(const std::string& text) {
  const Json json = Json::parse(text);
  DownReport report;
  for (const Json& stop : json.at("stops")) {
    report.stops.push_back({stop.at("service"),
                            from_name<ServiceStop::How>(kHowNames, stop.at("how")),
                            stop.at("status"), std::nullopt});
  }
  report.problems = json.at("problems").get<std::vector<std::string>>();
  report.incidents = incidents_from_json(json.at("incidents").dump());
  return report;
}

std::string to_json(const std::vector<ServiceStatus>& statuses) {
  Json rows = Json::array();
  for (const ServiceStatus& status : statuses) {
    rows.push_back({{"service", status.service},
                    {"kind", status.is_task ? "task" : "service"},
                    {"state", state_name(status.state)},
                    {"pid", status.pid},
                    {"ipv4", status.ipv4},
                    {"ipv6", status.ipv6},
                    {"ports", status.ports},
                    {"uptime_ms", status.uptime.count()},
                    {"restarts", status.restarts},
                    {"readiness", status.readiness},
                    {"rung", status.rung}});
  }
  return json_text(rows);
}

std::vector<ServiceStatus> statuses_from_json(const std::string& text) {
  std::vector<ServiceStatus> statuses;
  for (const Json& row : Json::parse(text)) {
    ServiceStatus status;
    status.service = row.at("service");
    status.is_task = row.at("kind") == "task";
    status.state = from_name<ServiceState>(kStateNames, row.at("state"));
    status.pid = row.at("pid");
    status.ipv4 = row.at("ipv4");
    status.ipv6 = row.at("ipv6");
    status.ports = row.at("ports").get<std::vector<std::string>>();
    status.uptime = std::chrono::milliseconds(row.at("uptime_ms").get<std::int64_t>());
    status.restarts = row.at("restarts");
    status.readiness = row.at("readiness");
    status.rung = row.at("rung");
    statuses.push_back(std::move(status));
  }
  return statuses;
}

std::string failures_text(const std::vector<ServiceFailure>& failures) {
  struct Paragraph {
    std::string services;
    std::string text;
    std::vector<std::filesystem::path> logs;
  };
  std::vector<Paragraph> paragraphs;
  std::map<std::string, std::size_t> places;  // of paragraphs, by their texts
  for (const ServiceFailure& failure : failures) {
    const std::string text = cause_text(failure);
    const auto [place, fresh] = places.emplace(text, paragraphs.size());
    if (fresh) paragraphs.push_back({failure.service, text, {}});
    Paragraph& paragraph = paragraphs[place->second];
    if (!fresh) paragraph.services += ", " + failure.service;
    if (!failure.log.empty()) paragraph.logs.push_back(failure.log);
  }
  std::string all;
  for (const Paragraph& paragraph : paragraphs) {
    all += "\n  " + paragraph.services + ": " + paragraph.text;
    const std::size_t logs = paragraph.logs.size();
    if (logs == 1) all += "    whole log: " + paragraph.logs.front().string() + "\n";
    if (logs > 1) {
      all += "    whole logs: " + paragraph.logs.front().string() + ", and " +
             std::to_string(logs - 1) + " more beside it\n";
    }
  }
  return all;
}

std::string paused_text(const UpReport& report) {
  std::string text;
  for (const PausedStart& start : report.paused) {
    // Inside, the program is the first process after its init; without namespaces it is as outside.
    const std::string pid = report.rung == "ports" ? std::to_string(start.pid) : "2";
    text += "'" + start.service + "' is paused before its program is executed, pid " +
            std::to_string(start.pid) + "\n  look inside: isoenv shell " + start.service +
            "\n  debug it:    isoenv exec --in " + start.service + " -- gdb -p " + pid +
            " -ex 'catch exec' -ex 'handle SIGCONT nostop' -ex 'shell kill -CONT " + pid +
            "' -ex continue\n  let it go:   isoenv resume " + start.service + "\n";
  }
  if (!report.waiting.empty()) text += "waiting for that: " + join(report.waiting, ", ") + "\n";
  return text;
}

std::string up_text(const UpReport& report) {
  if (report.failures.empty()) return "";
  return "environment '" + report.environment +
         "' is not up: " + std::to_string(report.failures.size()) + " of " +
         std::to_string(report.wanted) + " failed\n" + failures_text(report.failures);
}

std::string down_text(const DownReport& report) {
  std::string text;
  for (const ServiceStop& stop : report.stops) {
    text += stop.service;
    text += stop.how == ServiceStop::How::kKilled ? ": did not stop in time and was killed\n"
                                                  : ": stopped (" + stop.status + ")\n";
  }
  for (const std::string& problem : report.problems) text += problem + "\n";
  return text;
}

std::string statuses_text(const std::vector<ServiceStatus>& statuses) {
  std::vector<std::vector<std::string>> rows{
      {"NAME", "STATE", "PID", "ADDRESS", "PORTS", "UPTIME", "RESTARTS", "READINESS"}};
  for (const ServiceStatus& status : statuses) {
    const bool running = status.pid != 0;
    rows.push_back({status.service, state_name(status.state),
                    running ? std::to_string(status.pid) : "-", status.ipv4,
                    status.ports.empty() ? "-" : join(status.ports, ", "),
                    running ? duration_text(status.uptime) : "-", std::to_string(status.restarts),
                    status.readiness});
  }
  return table(rows);
}

}  // namespace isoenv
