#include "env/program_environment.h"

#include <unistd.h>

#include <algorithm>

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

SharedEnvironment::SharedEnvironment(const Variables& inherited, const Variables& shared)
    : inheriting_(EnvMode::kInherit, inherited, shared),
      clean_(EnvMode::kClean, inherited, shared) {}

SharedEnvironment::Entries::Entries(EnvMode mode, const Variables& inherited,
                                    const Variables& shared) {
  for (const auto& [name, value] : inherited) {
    if (contains(kNeverPassed, name)) continue;
    if (mode == EnvMode::kClean && !contains(kCleanNames, name)) continue;
    set(name, value);
  }
  for (const auto& [name, value] : shared) set(name, value);
}

void SharedEnvironment::Entries::set(const std::string& name, const std::string& value) {
  const auto [place, added] = places.emplace(name, texts.size());
  if (added) texts.emplace_back();
  texts[place->second] = name + "=" + value;
}

std::vector<std::string> SharedEnvironment::with(EnvMode mode, const Variables& own) const {
  const Entries& base = mode == EnvMode::kInherit ? inheriting_ : clean_;
  std::vector<std::string> result;
  result.reserve(base.texts.size() + own.size());
  result.assign(base.texts.begin(), base.texts.end());
  std::unordered_map<std::string, std::size_t> added;
  for (const auto& [name, value] : own) {
    auto place = base.places.find(name);
    if (place == base.places.end()) {
      place = added.emplace(name, result.size()).first;
      if (place->second == result.size()) result.emplace_back();
    }
    result[place->second] = name + "=" + value;
  }
  return result;
}

std::vector<std::string> program_environment(EnvMode mode, const Variables& inherited,
                                             const Variables& own) {
  return SharedEnvironment(inherited, {}).with(mode, own);
}

std::string search_path(const std::vector<std::string>& environment) {
  constexpr std::string_view kPrefix = "PATH=";
  for (const std::string& entry : environment) {
    if (entry.rfind(kPrefix, 0) == 0) return entry.substr(kPrefix.size());
  }
  return std::string(kDefaultPath);
}

}  // namespace isoenv
