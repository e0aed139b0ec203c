#include "env/program_environment.h"

#include <unistd.h>

#include <algorithm>
#include <map>

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

/// `NAME=value` in the order of their names' first appearance, with the last value of each.
class NamedTexts {
 public:
  void set(const std::string& name, const std::string& value) {
    const auto [place, added] = places_.emplace(name, entries_.size());
    if (added) entries_.emplace_back(name, "");
    entries_[place->second].second = name + "=" + value;
  }
  const Variables& all() const { return entries_; }

 private:
  Variables entries_;
  std::unordered_map<std::string, std::size_t> places_;
};

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
  NamedTexts entries;
  for (const auto& [name, value] : inherited) {
    if (contains(kNeverPassed, name)) continue;
    if (mode == EnvMode::kClean && !contains(kCleanNames, name)) continue;
    entries.set(name, value);
  }
  for (const auto& [name, value] : shared) entries.set(name, value);
  for (const auto& [name, text] : entries.all()) {
    places.emplace(name, block.bytes().size());
    block.push_back(text);
  }
}

StringBlock SharedEnvironment::with(EnvMode mode, const Variables& own) const {
  const Entries& base = mode == EnvMode::kInherit ? inheriting_ : clean_;
  const std::string_view bytes = base.block.bytes();
  NamedTexts added;
  std::map<std::size_t, std::string> replaced;  // by where the old entry begins
  for (const auto& [name, value] : own) {
    const auto place = base.places.find(name);
    if (place == base.places.end()) {
      added.set(name, value);
    } else {
      replaced[place->second] = name + "=" + value;
    }
  }
  std::string result;
  std::size_t copied = 0;
  for (const auto& [place, text] : replaced) {
    result.append(bytes.substr(copied, place - copied));
    result.append(text);
    copied = bytes.find('\0', place);  // which ends the new entry too
  }
  result.append(bytes.substr(copied));
  StringBlock block = StringBlock::from_bytes(std::move(result));
  for (const auto& [name, text] : added.all()) block.push_back(text);
  return block;
}

StringBlock program_environment(EnvMode mode, const Variables& inherited, const Variables& own) {
  return SharedEnvironment(inherited, {}).with(mode, own);
}

std::string search_path(const StringBlock& environment) {
  constexpr std::string_view kPrefix = "PATH=";
  for (const std::string_view entry : environment) {
    if (entry.starts_with(kPrefix)) return std::string(entry.substr(kPrefix.size()));
  }
  return std::string(kDefaultPath);
}

}  // namespace isoenv
