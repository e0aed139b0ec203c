#include "env/fault.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/exit_status.h"
#include "base/printable.h"
#include "base/text.h"
#include "spec/diagnostic.h"

namespace isoenv {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kNames = {"stop", "start", "restart", "kill", "pause", "resume"};
constexpr char kFaultForm[] =
    "write action[=SIGNAL]:service@delay[+duration], as pause:order@200ms+1s";
constexpr std::chrono::hours kLongest{24};

[[noreturn]] void refuse(const std::string& fault, const std::string& what,
                         const std::string& hint) {
  throw Error("the fault " + in_quotes(fault) + " makes no sense: " + what, ExitCode::kUsage, hint);
}

std::chrono::milliseconds parse_time(const std::string& fault, const std::string& what,
                                     const std::string& text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string unit = text.substr(digits);
  const int factor = unit == "ms" ? 1 : unit == "s" ? 1000 : unit == "m" ? 60'000 : 0;
  if (digits == 0 || digits > 9 || factor == 0) {
    refuse(fault, "its " + what + " is " + in_quotes(text), "write it as 500ms, 30s or 2m");
  }
  const std::chrono::milliseconds time(std::stoll(text.substr(0, digits)) * factor);
  if (time > kLongest) refuse(fault, "its " + what + " is longer than a day", "");
  return time;
}

FaultKind parse_kind(const std::string& fault, const std::string& name) {
  if (const std::optional<FaultKind> kind = fault_kind(name)) return *kind;
  const std::string nearest = nearest_word(name, {kNames.begin(), kNames.end()});
  refuse(fault, "there is no action " + in_quotes(name),
         nearest.empty() ? "it is one of: " + join({kNames.begin(), kNames.end()}, ", ")
                         : "did you mean '" + nearest + "'?");
}

}  // namespace

const char* fault_name(FaultKind kind) noexcept { return kNames[static_cast<std::size_t>(kind)]; }

std::optional<FaultKind> fault_kind(const std::string& name) noexcept {
  const auto* found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<FaultKind>(found - kNames.begin());
}

bool asks_to_end(int signal) noexcept {
  return signal == SIGKILL || signal == SIGTERM || signal == SIGINT || signal == SIGQUIT ||
         signal == SIGABRT;
}

std::string to_json(const FaultReport& report) {
  Json effects = Json::array();
  for (const FaultEffect& effect : report.effects) {
    effects.push_back({{"service", effect.service}, {"what", effect.what}});
  }
  const Json json = {{"effects", effects},
                     {"failures", Json::parse(to_json(report.failures))},
                     {"problems", report.problems}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

FaultReport fault_report_from_json(const std::string& text) {
  const Json json = Json::parse(text);
  FaultReport report;
  for (const Json& effect : json.at("effects")) {
    report.effects.push_back({effect.at("service"), effect.at("what")});
  }
  report.failures = failures_from_json(json.at("failures").dump());
  report.problems = json.at("problems").get<std::vector<std::string>>();
  return report;
}

std::string effects_text(const FaultReport& report) {
  std::string text;
  for (const FaultEffect& effect : report.effects) {
    text += effect.service + ": " + printable(effect.what, Colours::kDrop) + "\n";
  }
  for (const std::string& problem : report.problems) text += problem + "\n";
  return text;
}

ScheduledFault parse_fault(const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::size_t at = text.find('@', colon == std::string::npos ? 0 : colon);
  if (colon == std::string::npos || at == std::string::npos) {
    refuse(text, colon == std::string::npos ? "it has no ':'" : "it has no '@'", kFaultForm);
  }
  ScheduledFault fault;
  fault.text = text;
  const std::string action = text.substr(0, colon);
  const std::size_t equals = action.find('=');
  fault.kind = parse_kind(text, action.substr(0, equals));
  if (equals != std::string::npos) {
    if (fault.kind != FaultKind::kKill) refuse(text, "only 'kill' has a signal", kFaultForm);
    fault.signal = parse_signal(action.substr(equals + 1));
  }
  fault.service = text.substr(colon + 1, at - colon - 1);
  if (fault.service.empty()) refuse(text, "it names no service", kFaultForm);
  const std::string times = text.substr(at + 1);
  const std::size_t plus = times.find('+');
  fault.delay = parse_time(text, "delay", times.substr(0, plus));
  if (plus == std::string::npos) return fault;
  const bool lasts = fault.kind == FaultKind::kPause || fault.kind == FaultKind::kStop ||
                     fault.kind == FaultKind::kKill;
  if (!lasts) {
    refuse(text, in_quotes(fault_name(fault.kind)) + " has no duration",
           "only 'pause', 'stop' and 'kill' last");
  }
  fault.duration = parse_time(text, "duration", times.substr(plus + 1));
  return fault;
}

std::vector<ScheduledFault> parse_faults(const std::vector<std::string>& texts) {
  std::vector<ScheduledFault> faults;
  std::vector<std::string> wrong;
  for (const std::string& text : texts) {
    try {
      faults.push_back(parse_fault(text));
    } catch (const Error& error) {
      wrong.push_back(error.what() + (error.hint().empty() ? "" : "; " + error.hint()));
    }
  }
  if (!wrong.empty()) throw Error(join(wrong, "\n"), ExitCode::kUsage);
  return faults;
}

int parse_signal(const std::string& name) {
  const int number = signal_number(name);
  if (number == SIGSTOP) {
    throw Error("'SIGSTOP' stops one process of a service only, and is never undone",
                ExitCode::kUsage, "'isoenv pause' stops all of them");
  }
  if (number != 0) return number;
  std::vector<std::string> known;
  for (int signal = 1; signal <= SIGSYS; ++signal) known.push_back(signal_name(signal));
  std::string full = name;
  std::transform(full.begin(), full.end(), full.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (!full.starts_with("SIG")) full = "SIG" + full;
  const std::string nearest = nearest_word(full, known);
  throw Error("unknown signal " + in_quotes(name), ExitCode::kUsage,
              nearest.empty() ? "write a name such as SIGTERM or SIGINT"
                              : "did you mean '" + nearest + "'?");
}

}  // namespace isoenv
