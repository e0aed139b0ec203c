// `isoenv doctor`: what this machine grants, found by trying, and what to change where it refuses.
#include <sys/utsname.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "env/trial.h"
#include "harness/command.h"
#include "harness/host_checks.h"
#include "harness/options.h"
#include "netns/remedy.h"

namespace isoenv {
namespace {

using Json = nlohmann::ordered_json;
using Kind = Cause::Kind;
using State = Finding::State;

struct Report {
  Machine machine;
  std::optional<Rung> rung;  ///< with namespaces
  bool ports = false;        ///< the rung without them
  std::vector<Finding> findings;
};

/// Root that must use a user namespace loses little.
void forgive_missing_privileges(std::vector<Finding>& findings) {
  for (Finding& finding : findings) {
    if (finding.purpose != Purpose::kRoot || finding.state != State::kRefused) continue;
    finding.state = State::kDegraded;
    finding.detail = cause_text(finding.cause) + ", so services cannot change to another user";
  }
}

Report examine() {
  Report report;
  report.machine = read_machine();
  std::vector<Finding> host = check_host();
  Trial trial = try_isolation();
  report.findings = std::move(trial.findings);
  report.findings.insert(report.findings.end(), host.begin(), host.end());
  const auto stops = [&](Purpose one) {
    return std::any_of(report.findings.begin(), report.findings.end(), [&](const Finding& finding) {
      return finding.state == State::kRefused &&
             (finding.purpose == Purpose::kEvery || finding.purpose == one);
    });
  };
  if (!stops(Purpose::kEvery)) report.rung = trial.rung;
  if (report.rung == Rung::kUserns) forgive_missing_privileges(report.findings);
  report.ports = !stops(Purpose::kPorts) && !stops(Purpose::kEvery);
  // What is optional comes last, in the order in which it was tried.
  std::stable_partition(report.findings.begin(), report.findings.end(), [](const Finding& finding) {
    return finding.purpose != Purpose::kOptional;
  });
  return report;
}

std::string state_name(State state) {
  switch (state) {
    case State::kOk:
      return "ok";
    case State::kDegraded:
      return "degraded";
    case State::kRefused:
      return "refused";
    case State::kUntried:
      return "untried";
  }
  return "";
}

std::vector<std::string> rungs_that_need(Purpose purpose) {
  switch (purpose) {
    case Purpose::kUserns:
      return {"userns"};
    case Purpose::kRoot:
      return {"root"};
    case Purpose::kNetns:
      return {"userns", "root"};
    case Purpose::kEvery:
      return {"userns", "root", "ports"};
    case Purpose::kPorts:
      return {"ports"};
    case Purpose::kOptional:
      return {};
  }
  return {};
}

std::string kernel_name() {
  utsname name{};
  return ::uname(&name) == 0 ? std::string(name.sysname) + " " + name.release : "";
}

// ---- for programs
// --------------------------------------------------------------------------------

Json finding_json(const Finding& finding, const Machine& machine) {
  Json json = {{"name", finding.capability},
               {"needed_for", rungs_that_need(finding.purpose)},
               {"state", state_name(finding.state)},
               {"detail", finding.detail}};
  if (finding.state != State::kRefused && finding.state != State::kDegraded) return json;
  json["step"] = finding.step;
  json["errno"] = finding.error_number;
  json["error"] = finding.error_number == 0 ? "" : errno_text(finding.error_number);
  json["cause"] = {{"name", cause_name(finding.cause.kind)},
                   {"subject", finding.cause.subject},
                   {"text", cause_text(finding.cause)}};
  json["remedies"] = Json::array();
  for (const Remedy& remedy : remedies(finding.cause, machine)) {
    json["remedies"].push_back({{"place", place_name(remedy.place)},
                                {"here", remedy.place == machine.place},
                                {"text", remedy.text},
                                {"note", remedy.note}});
  }
  return json;
}

std::string report_json(const Report& report) {
  Json json = {{"version", 1},
               {"isoenv", isoenv_version()},
               {"kernel", kernel_name()},
               {"place", place_name(report.machine.place)},
               {"container", report.machine.container},
               {"root", report.machine.root},
               {"isolation", report.rung ? "netns" : "none"},
               {"rung", report.rung ? Json(rung_name(*report.rung)) : Json()},
               {"ports", report.ports}};
  json["capabilities"] = Json::array();
  for (const Finding& finding : report.findings) {
    json["capabilities"].push_back(finding_json(finding, report.machine));
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

// ---- for people
// ----------------------------------------------------------------------------------

std::string title(const Finding& finding) {
  std::string name = finding.capability;
  std::replace(name.begin(), name.end(), '-', ' ');
  return name;
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string indented(const std::string& text, const std::string& margin) {
  std::string result = margin;
  for (const char letter : text) {
    result += letter;
    if (letter == '\n') result += margin;
  }
  return result + "\n";
}

/// `a, b, c,` on as many lines as it takes, under each other.
std::string wrapped(const std::string& head, const std::vector<std::string>& words) {
  constexpr std::size_t kWidth = 92;
  if (words.empty()) return "";
  std::string text = head;
  std::size_t used = head.size();
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string word = words[i] + (i + 1 < words.size() ? "," : "");
    if (i > 0 && used + 1 + word.size() > kWidth) {
      text += "\n" + std::string(head.size(), ' ');
      used = head.size();
    } else if (i > 0) {
      text += ' ';
      ++used;
    }
    text += word;
    used += word.size();
  }
  return text + "\n";
}

/// In half a line: what goes without it, or the cause, or else what the kernel said.
std::string reason(const Finding& finding) {
  if (finding.state == State::kDegraded && !finding.detail.empty()) return finding.detail;
  if (const std::string cause = cause_text(finding.cause); !cause.empty()) return cause;
  if (finding.error_number == 0) return finding.step;
  return "cannot " + finding.step + ": " + errno_text(finding.error_number);
}

/// What is granted in a few lines; a line for each thing that is not.
std::string table(const Report& report) {
  std::vector<std::string> granted;
  std::vector<std::string> untried;
  std::string rest;
  for (const Finding& finding : report.findings) {
    if (finding.state == State::kOk) {
      granted.push_back(title(finding));
    } else if (finding.state == State::kUntried) {
      untried.push_back(title(finding) +
                        (finding.detail.empty() ? "" : " (" + finding.detail + ")"));
    } else {
      rest += "  " + padded(state_name(finding.state), 10) + title(finding);
      rest += ": " + reason(finding) + "\n";
    }
  }
  return wrapped("  ok        ", granted) + rest + wrapped("  untried   ", untried);
}

std::string explanation(const Finding& finding, const Machine& machine) {
  std::string text = "\n" + state_name(finding.state) + ": " + title(finding) + "\n";
  if (finding.error_number == 0) {  // refused by ourselves, in a sentence
    text += "  cause   " + finding.step + "\n";
  } else {
    const std::string cause = cause_text(finding.cause);
    text += "  step    " + finding.step + "\n";
    text += "  errno   " + errno_text(finding.error_number) + "\n";
    text += "  cause   " + (cause.empty() ? "not found" : cause) + "\n";
  }
  if (finding.state == State::kRefused && !finding.detail.empty()) {
    text += "  remedy  " + finding.detail + "\n";
  }
  const std::vector<Remedy> all = remedies(finding.cause, machine);
  const bool known_here = std::any_of(
      all.begin(), all.end(), [&](const Remedy& remedy) { return remedy.place == machine.place; });
  for (const Remedy& remedy : all) {
    if (known_here && remedy.place != machine.place) continue;
    text += "  remedy  on " + place_name(remedy.place) + ":\n";
    text += indented(remedy.text, "            ");
    if (!remedy.note.empty()) text += "          (" + remedy.note + ")\n";
  }
  return text;
}

std::string verdict(const Report& report) {
  if (report.rung == Rung::kRoot) {
    return "services can be isolated here: rung 'root', namespaces made with root's privileges\n";
  }
  if (report.rung) {
    return "services can be isolated here: rung 'userns', namespaces inside a user namespace\n";
  }
  return std::string("services cannot be isolated here") +
         (report.ports ? "; the rung 'ports' remains: the host's loopback, no namespaces\n" : "\n");
}

std::string report_text(const Report& report) {
  const Machine& machine = report.machine;
  std::string text = verdict(report);
  text += "isoenv " + isoenv_version() + ", " + kernel_name() +
          (machine.place == Place::kHost ? "" : ", " + place_name(machine.place)) +
          (machine.root ? ", as root\n\n" : ", as an ordinary user\n\n");
  text += table(report);
  for (const Finding& finding : report.findings) {
    // Root without privileges goes the way of ordinary users, and there is what matters.
    if (finding.purpose == Purpose::kRoot) continue;
    const bool told = finding.state == State::kDegraded && finding.cause.kind != Kind::kUnknown;
    if (told || finding.state == State::kRefused) text += explanation(finding, machine);
  }
  return text;
}

}  // namespace

int doctor_command(const std::vector<std::string>& arguments) {
  const DoctorOptions options = parse_doctor(arguments);
  if (options.apparmor_profile) {
    std::cout << apparmor_profile(std::filesystem::read_symlink("/proc/self/exe").string());
    return 0;
  }
  const Report report = examine();
  std::cout << (options.json ? report_json(report) : report_text(report));
  return static_cast<int>(report.rung ? ExitCode::kOk : ExitCode::kCannotRun);
}

}  // namespace isoenv
