#include "env/program_environment.h"

#include <unistd.h>

#include <algorithm>
#include <unordered_map>

namespace isoenv {
namespace {

constexpr std::string_view kCleanNames[] = {"PATH", "HOME",   "USER", "LOGNAME",
                                            "LANG", "LC_ALL", "TZ",   "SHELL"};
constexpr std::string_view kNeverPassed[] = {"MAKEFLAGS", "MFLAGS", "GNUMAKEFLAGS",
                                             "NOTIFY_SOCKET"};
constexpr std::string_view kDefaultPath = "/usr/local/bin:/usr/bin:/bin";

template <typename Names>
bool contains(const Names& names, std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

}  // namespace

Variables own_environment() {
  Variables variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    variables.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

std::vector<std::string> program_environment(EnvMode mode, const Variables& inherited,
                                             const Variables& own) {
  std::vector<std::string> result;
  std::unordered_map<std::string, std::size_t> places;
  const auto set = [&](const std::string& name, const std::string& value) {
    const auto [place, added] = places.emplace(name, result.size());
    if (added) result.emplace_back();
    result[place->second] = name + "=" + value;
  };
  for (const auto& [name, value] : inherited) {
    if (contains(kNeverPassed, name)) continue;
    if (mode == EnvMode::kClean && !contains(kCleanNames, name)) continue;
    set(name, value);
  }
  for (const auto& [name, value] : own) set(name, value);
  return result;
}

std::string search_path(const std::vector<std::string>& environment) {
  constexpr std::string_view kPrefix = "PATH=";
  for (const std::string& entry : environment) {
    if (entry.rfind(kPrefix, 0) == 0) return entry.substr(kPrefix.size());
  }
  return std::string(kDefaultPath);
}

}  // namespace isoenv
