#include "env/tolerance.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "env/fault.h"
#include "spec/diagnostic.h"

namespace isoenv {
namespace {

constexpr char kExitForm[] =
    "write SERVICE:CODE or SERVICE:SIGNAL, such as order:3 or order:SIGKILL";

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// None when it is no number from 0 to 255.
std::optional<int> exit_code(const std::string& text) {
  const bool digits =
      std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  if (text.empty() || text.size() > 3 || !digits) return std::nullopt;
  const int code = std::stoi(text);
  return code <= 255 ? std::optional(code) : std::nullopt;
}

ExpectedExit parse_exit(const std::string& text) {
  const std::size_t colon = text.find(':');
  const auto refuse = [&text](const std::string& why) {
    throw Error("the expected exit " + in_quotes(text) + " makes no sense: " + why,
                ExitCode::kUsage, kExitForm);
  };
  if (colon == std::string::npos) refuse("it has no ':'");
  ExpectedExit expected{text.substr(0, colon), {}, text};
  if (expected.service.empty()) refuse("it names no service");
  const std::string end = text.substr(colon + 1);
  if (const std::optional<int> code = exit_code(end)) {
    expected.status.code = *code;
  } else if (end.empty() || std::isdigit(static_cast<unsigned char>(end.front())) != 0) {
    refuse(in_quotes(end) + " is no exit code from 0 to 255");
  } else {
    expected.status.signal = parse_signal(end);
  }
  return expected;
}

}  // namespace

bool Tolerance::covers(const Incident& incident) const {
  if (contains(allow_failure, incident.service)) return true;
  return incident.exit &&
         std::any_of(expect_exit.begin(), expect_exit.end(), [&](const ExpectedExit& expected) {
           return expected.service == incident.service &&
                  expected.status.code == incident.exit->code &&
                  expected.status.signal == incident.exit->signal;
         });
}

void Tolerance::add(const Tolerance& other) {
  allow_failure.insert(allow_failure.end(), other.allow_failure.begin(), other.allow_failure.end());
  expect_exit.insert(expect_exit.end(), other.expect_exit.begin(), other.expect_exit.end());
}

std::vector<std::string> Tolerance::exit_texts() const {
  std::vector<std::string> texts;
  for (const ExpectedExit& expected : expect_exit) texts.push_back(expected.text);
  return texts;
}

Tolerance parse_tolerance(std::vector<std::string> allow_failure,
                          const std::vector<std::string>& expect_exit) {
  Tolerance tolerance{std::move(allow_failure), {}};
  std::vector<std::string> wrong;
  for (const std::string& text : expect_exit) {
    try {
      tolerance.expect_exit.push_back(parse_exit(text));
    } catch (const Error& error) {
      wrong.push_back(error.what() + (error.hint().empty() ? "" : "; " + error.hint()));
    }
  }
  if (!wrong.empty()) throw Error(join(wrong, "\n"), ExitCode::kUsage);
  return tolerance;
}

void check_tolerance(const Tolerance& tolerance, const EnvironmentPlan& plan,
                     const std::vector<std::size_t>& used) {
  std::vector<std::string> services;
  std::vector<std::string> of_the_test;
  const std::vector<std::size_t> closure = plan.closure(used);
  for (std::size_t i = 0; i < plan.services.size(); ++i) {
    if (plan.services[i].is_task) continue;
    services.push_back(plan.services[i].name);
    const bool uses = used.empty() || std::find(closure.begin(), closure.end(), i) != closure.end();
    if (uses) of_the_test.push_back(plan.services[i].name);
  }
  std::vector<std::string> wrong;
  const auto check = [&](const std::string& service, const std::string& of) {
    if (contains(of_the_test, service)) return;
    if (contains(services, service)) {
      wrong.push_back(of + ": the test does not use the service " + in_quotes(service) +
                      ", which cannot fail it");
      return;
    }
    const std::string nearest = nearest_word(service, of_the_test);
    wrong.push_back(of + ": there is no service " + in_quotes(service) +
                    (nearest.empty() ? "" : "; did you mean '" + nearest + "'?"));
  };
  for (const std::string& service : tolerance.allow_failure) {
    check(service, "the allowed failure of " + in_quotes(service));
  }
  for (const ExpectedExit& expected : tolerance.expect_exit) {
    check(expected.service, "the expected exit " + in_quotes(expected.text));
  }
  if (!wrong.empty()) throw Error(join(wrong, "\n"), ExitCode::kUsage);
}

}  // namespace isoenv
