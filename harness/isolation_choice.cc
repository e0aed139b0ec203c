#include "harness/isolation_choice.h"

#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "env/trial.h"
#include "netns/refusal.h"

namespace isoenv {
namespace {

constexpr char kVariable[] = "ISOENV_ISOLATION";
constexpr std::array<std::pair<std::string_view, Isolation>, 3> kWords{
    {{"auto", Isolation::kAuto}, {"netns", Isolation::kNetns}, {"ports", Isolation::kPorts}}};

Isolation from_word(const std::string& source, const std::string& word) {
  std::vector<std::string> known;
  for (const auto& [name, isolation] : kWords) {
    if (name == word) return isolation;
    known.emplace_back(name);
  }
  const std::string nearest = nearest_word(word, known);
  throw Error(
      source + " is '" + word + "', which is no isolation", ExitCode::kUsage,
      nearest.empty() ? "it is one of: " + join(known, ", ") : "did you mean '" + nearest + "'?");
}

}  // namespace

Isolation choose_isolation(const std::optional<std::string>& option) {
  if (option) return from_word("option '--isolation'", *option);
  const char* variable = std::getenv(kVariable);
  if (variable == nullptr || *variable == '\0') return Isolation::kAuto;
  return from_word(std::string("the variable ") + kVariable, variable);
}

std::string degraded_text(const std::string& refusal) {
  return "no namespaces, ports of the host's loopback instead: " + refusal;
}

void check_isolation(Isolation wanted, const Lease& lease) {
  const bool apart = has_namespaces(lease.rung);
  if (wanted == Isolation::kAuto || (wanted == Isolation::kNetns) == apart) return;
  throw Error("'" + lease.environment + "' is up " +
                  (apart ? "with namespaces" : "without namespaces") + " (rung '" + lease.rung +
                  "'), and isolation '" + (apart ? "ports" : "netns") + "' is asked for",
              ExitCode::kUsage, "take it down first, with 'isoenv down'");
}

std::optional<Error> find_refusal() {
  const std::optional<Refusal> refusal = isolation_refusal();
  if (!refusal) return std::nullopt;
  try {
    throw_refusal(*refusal);
  } catch (const Error& error) {
    return error;
  }
}

}  // namespace isoenv
