#include "env/incident.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/printable.h"

namespace isoenv {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostIncidents = 1000;

std::string time_of_day() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm local{};
  ::localtime_r(&now.tv_sec, &local);
  char text[32] = "";
  std::snprintf(text, sizeof text, "%02d:%02d:%02d.%06ld", local.tm_hour, local.tm_min,
                local.tm_sec, now.tv_nsec / 1000);
  return text;
}

}  // namespace

std::string to_json(const std::vector<Incident>& incidents) {
  Json array = Json::array();
  for (const Incident& incident : incidents) {
    array.push_back({{"service", incident.service},
                     {"what", incident.what},
                     {"when", incident.when},
                     {"report", incident.report},
                     {"log", incident.log.string()}});
  }
  return array.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<Incident> incidents_from_json(const std::string& text) {
  std::vector<Incident> incidents;
  for (const Json& json : Json::parse(text)) {
    Incident incident;
    incident.service = json.at("service");
    incident.what = json.at("what");
    incident.when = json.at("when");
    incident.report = json.at("report").get<std::vector<std::string>>();
    incident.log = json.at("log").get<std::string>();
    incidents.push_back(std::move(incident));
  }
  return incidents;
}

std::string incidents_text(const std::vector<Incident>& incidents) {
  std::string text;
  for (const Incident& incident : incidents) {
    text += "\nservice '" + incident.service + "' at " + incident.when + ": " +
            printable(incident.what, Colours::kDrop) + "\n";
    for (const std::string& line : incident.report) {
      text += "  | " + printable(line, Colours::kDrop) + "\n";
    }
    if (!incident.log.empty()) text += "  its whole log: " + incident.log.string() + "\n";
  }
  return text;
}

void Incidents::excuse(std::size_t service, bool excused) {
  if (excused) {
    excused_.insert(service);
  } else {
    excused_.erase(service);
  }
}

std::uint64_t Incidents::add(std::size_t service, Incident incident) {
  const ServicePlan& plan = plan_.services[service];
  if (plan.allow_failure || excused_.contains(service)) return 0;
  // The end that a sanitizer has brought about follows its report, which need not be shown twice.
  const auto last = std::find_if(entries_.rbegin(), entries_.rend(), [service](const Entry& entry) {
    return entry.service == service;
  });
  if (incident.exit && last != entries_.rend() && last->reported) incident.report.clear();
  const bool reported = !incident.exit && incident.what.starts_with("reported ");
  incident.service = plan.name;
  incident.when = time_of_day();
  entries_.push_back({service, false, reported, std::move(incident)});
  if (entries_.size() > kMostIncidents) entries_.pop_front();
  return next_++;
}

void Incidents::extend(std::uint64_t number, const std::string& line) {
  const std::uint64_t first = next_ - entries_.size();
  if (number < first || number >= next_) return;
  entries_[number - first].incident.report.push_back(line);
}

template <typename Wanted>
std::vector<Incident> Incidents::take_if(const std::vector<std::size_t>& services, Wanted wanted) {
  std::vector<Incident> taken;
  std::uint64_t number = next_ - entries_.size();
  for (Entry& entry : entries_) {
    const bool of_them =
        std::find(services.begin(), services.end(), entry.service) != services.end();
    if (of_them && wanted(entry, number)) {
      entry.told = true;
      taken.push_back(entry.incident);
    }
    ++number;
  }
  return taken;
}

std::vector<Incident> Incidents::take(const std::vector<std::size_t>& services,
                                      std::uint64_t since) {
  return take_if(services, [since](const Entry&, std::uint64_t number) { return number >= since; });
}

std::vector<Incident> Incidents::take_untold(const std::vector<std::size_t>& services) {
  return take_if(services, [](const Entry& entry, std::uint64_t) { return !entry.told; });
}

bool is_expected_exit(const ServicePlan& service, const ExitStatus& status) {
  return std::any_of(service.expect_exit.begin(), service.expect_exit.end(),
                     [&](const ExitStatus& expected) {
                       return expected.code == status.code && expected.signal == status.signal;
                     });
}

bool is_proper_stop(const ServicePlan& service, const ExitStatus& status) {
  return status.success() || status.signal == service.stop_signal ||
         (status.signal == 0 && status.code == 128 + service.stop_signal) ||
         is_expected_exit(service, status);
}

}  // namespace isoenv
