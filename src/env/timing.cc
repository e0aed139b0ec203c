#include "env/timing.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace isoenv {
namespace {

using Json = nlohmann::ordered_json;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr const char* kNotCome = "-";
constexpr std::size_t kNarrowest = 6;  // a column of `1234.5`

std::optional<Clock::TimePoint> moment_of(const StartMoments& moments, Moment moment) {
  return moments[static_cast<std::size_t>(moment)];
}

/// When the dependency was there for those who needed it so.
std::optional<Clock::TimePoint> met_at(const StartMoments& moments, Need need) {
  return moment_of(moments, need == Need::kStarted ? Moment::kLaunched : Moment::kReady);
}

std::vector<ChainLink> longest_chain(const EnvironmentPlan& plan,
                                     const std::vector<std::size_t>& services, Timeline& timeline) {
  std::optional<std::size_t> last;
  std::optional<Clock::TimePoint> end;
  for (const std::size_t service : services) {
    const auto ready = moment_of(timeline.start(service), Moment::kReady);
    if (!ready || (end && *ready <= *end)) continue;
    last = service;
    end = ready;
  }
  std::vector<ChainLink> chain;
  while (last) {
    std::optional<Clock::TimePoint> begin = moment_of(timeline.start(*last), Moment::kAsked);
    std::optional<std::size_t> before;
    for (const DependencyPlan& dependency : plan.services[*last].depends) {
      const auto met = met_at(timeline.start(dependency.service), dependency.need);
      if (!met || *met <= *begin || *met > *end) continue;
      before = dependency.service;
      begin = met;
    }
    chain.insert(chain.begin(), {plan.services[*last].name, *end - *begin});
    last = before;
    end = begin;
  }
  return chain;
}

double milliseconds(std::chrono::nanoseconds duration) {
  return static_cast<double>(std::chrono::round<std::chrono::microseconds>(duration).count()) /
         1000;
}

std::string number(std::chrono::nanoseconds duration) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", Milliseconds(duration).count());
  return text;
}

std::string right(const std::string& text, std::size_t width) {
  return std::string(width > text.size() ? width - text.size() : 0, ' ') + text;
}

/// From when it was asked for until it was ready; empty when it was not.
std::optional<std::chrono::nanoseconds> total(const ServiceTiming& timing) {
  const auto asked = moment_of(timing.moments, Moment::kAsked);
  const auto ready = moment_of(timing.moments, Moment::kReady);
  if (!asked || !ready) return std::nullopt;
  return *ready - *asked;
}

std::string chain_text(const std::vector<ChainLink>& chain) {
  std::vector<std::string> links;
  std::chrono::nanoseconds sum{};
  for (const ChainLink& link : chain) {
    links.push_back(link.service + " " + number(link.duration));
    sum += link.duration;
  }
  return "longest chain: " + join(links, " → ") +
         (links.size() > 1 ? ", in all " + number(sum) : "") + " ms\n";
}

Json moment_json(const std::optional<Clock::TimePoint>& moment) {
  return moment ? Json(moment->time_since_epoch().count()) : Json();
}

std::optional<Clock::TimePoint> moment_from(const Json& json) {
  if (json.is_null()) return std::nullopt;
  return Clock::TimePoint(Clock::TimePoint::duration(json.get<std::int64_t>()));
}

Json phases_json(const std::vector<StartPhase>& phases) {
  Json json = Json::object();
  for (const StartPhase& phase : phases) {
    json[phase.name + "_ms"] = milliseconds(phase.end - phase.begin);
  }
  return json;
}

}  // namespace

Timing make_timing(const EnvironmentPlan& plan, const std::vector<std::size_t>& services,
                   Clock::TimePoint asked, Timeline& timeline) {
  Timing timing;
  for (const std::size_t service : services) {
    const StartMoments& moments = timeline.start(service);
    const auto began = moment_of(moments, Moment::kAsked);
    timing.services.push_back({plan.services[service].name, began && *began < asked, moments});
  }
  timing.chain = longest_chain(plan, services, timeline);
  timing.spans = timeline.spans();
  return timing;
}

std::string to_json(const Timing& timing) {
  Json json{{"services", Json::array()}, {"chain", Json::array()}, {"spans", Json::array()}};
  for (const ServiceTiming& service : timing.services) {
    Json moments = Json::array();
    for (const auto& moment : service.moments) moments.push_back(moment_json(moment));
    json["services"].push_back({service.service, service.earlier, std::move(moments)});
  }
  for (const ChainLink& link : timing.chain) {
    json["chain"].push_back({link.service, link.duration.count()});
  }
  for (const TraceSpan& span : timing.spans) {
    json["spans"].push_back(
        {span.group, span.track, span.name, moment_json(span.begin), moment_json(span.end)});
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Timing timing_from_json(const std::string& text) {
  Timing timing;
  try {
    const Json json = Json::parse(text);
    for (const Json& row : json.at("services")) {
      ServiceTiming service{row.at(0), row.at(1).get<bool>(), {}};
      for (std::size_t i = 0; i < kMoments; ++i) {
        service.moments[i] = moment_from(row.at(2).at(i));
      }
      timing.services.push_back(std::move(service));
    }
    for (const Json& link : json.at("chain")) {
      timing.chain.push_back(
          {link.at(0), std::chrono::nanoseconds(link.at(1).get<std::int64_t>())});
    }
    for (const Json& span : json.at("spans")) {
      timing.spans.push_back({span.at(0), span.at(1), span.at(2),
                              moment_from(span.at(3)).value_or(Clock::TimePoint()),
                              moment_from(span.at(4))});
    }
  } catch (const Json::exception& error) {
    throw Error(std::string("the keeper's figures make no sense: ") + error.what());
  }
  return timing;
}

std::string timing_text(const Timing& timing, const CommandPhases& command) {
  std::size_t widest = 7;  // `service`
  bool any_earlier = false;
  for (const ServiceTiming& service : timing.services) {
    widest = std::max(widest, service.service.size() + (service.earlier ? 2 : 0));
    any_earlier = any_earlier || service.earlier;
  }
  std::vector<std::string> header;
  for (const char* name : start_phase_names()) header.emplace_back(name);
  header.emplace_back("total");

  std::string text = "where the time went, in ms:\n  service" + std::string(widest - 7, ' ');
  for (const std::string& name : header) text += "  " + right(name, kNarrowest);
  text += '\n';
  for (const ServiceTiming& service : timing.services) {
    const std::string name = service.service + (service.earlier ? " *" : "");
    text += "  " + name + std::string(widest - name.size(), ' ');
    const std::vector<StartPhase> phases = start_phases(service.moments);
    for (const char* column : start_phase_names()) {
      const auto phase = std::find_if(phases.begin(), phases.end(),
                                      [&](const StartPhase& p) { return p.name == column; });
      text += "  " + right(phase == phases.end() ? kNotCome : number(phase->end - phase->begin),
                           kNarrowest);
    }
    const auto whole = total(service);
    text += "  " + right(whole ? number(*whole) : kNotCome, kNarrowest) + '\n';
  }
  if (any_earlier) text += "  * was up, or on its way, before\n";
  if (!timing.chain.empty()) text += chain_text(timing.chain);
  if (command.empty()) return text;
  std::vector<std::string> parts;
  for (const StartPhase& phase : command) {
    parts.push_back(phase.name + " " + number(phase.end - phase.begin));
  }
  return text + "this command: " + join(parts, ", ") + ", in all " +
         number(command.back().end - command.front().begin) + " ms\n";
}

std::string timing_report_json(const Timing& timing, const CommandPhases& command) {
  Json json{{"services", Json::array()}, {"longest_chain", Json::array()}};
  for (const ServiceTiming& service : timing.services) {
    Json row{{"service", service.service}, {"earlier", service.earlier}};
    row.update(phases_json(start_phases(service.moments)));
    if (const auto whole = total(service)) row["total_ms"] = milliseconds(*whole);
    json["services"].push_back(std::move(row));
  }
  for (const ChainLink& link : timing.chain) {
    json["longest_chain"].push_back(
        {{"service", link.service}, {"ms", milliseconds(link.duration)}});
  }
  json["command"] = phases_json(command);
  if (!command.empty()) {
    json["command"]["total_ms"] = milliseconds(command.back().end - command.front().begin);
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace isoenv
