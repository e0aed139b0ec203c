// `isoenv gc`: removes what dead instances left, and says of each thing what it was.
//
// Looks where isoenv keeps things by itself: the run root, the artefact folders of the leases in
// it, and the default places. A build tree's artefacts are tidied by each start there, and go with
// the tree. Decides nothing: what is stale is said by instances.h and retention.h.
#include <algorithm>
#include <array>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

#include "harness/command.h"
#include "harness/instances.h"
#include "harness/options.h"
#include "harness/retention.h"

namespace isoenv {
namespace {

using Json = nlohmann::ordered_json;

/// One thing that had to go, or that is live.
struct Leftover {
  std::string kind;  ///< `run directory`, `artefacts`
  std::filesystem::path path;
  ArtefactRecord instance;
  std::time_t since = 0;
  std::string reason;
  int error = 0;
};

std::string time_text(std::time_t time, const char* format) {
  std::tm parts = {};
  ::localtime_r(&time, &parts);
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), format, &parts)};
}

ArtefactRecord record_of(const Lease& lease) {
  return {lease.environment, lease.key.spec_file, lease.key.name, lease.keeper.pid, false};
}

Leftover finding_of(const StaleDirectory& stale) {
  Leftover finding{"run directory", stale.directory.path(), {}, stale.since, {}, stale.error};
  finding.reason = "its start was cut short";
  if (stale.lease) {
    finding.instance = record_of(*stale.lease);
    finding.reason = "its keeper has ended";
  }
  return finding;
}

Leftover finding_of(const OldArtefacts& old) {
  Leftover finding{"artefacts", old.directory, old.record, 0, {}, old.error};
  std::tm parts = {};
  parts.tm_isdst = -1;
  if (::strptime(old.directory.filename().c_str(), "%Y%m%d-%H%M%S", &parts) != nullptr) {
    finding.since = std::mktime(&parts);
  }
  const std::string how = old.record.passed ? "ended well" : "failed";
  switch (old.reason) {
    case OldArtefacts::Reason::kOld:
      finding.reason = how + ", and newer ones are kept";
      break;
    case OldArtefacts::Reason::kSpecGone:
      finding.reason = how + ", its spec is gone, and newer ones are kept";
      break;
    case OldArtefacts::Reason::kUnfinished:
      finding.reason = "its start was cut short";
      break;
  }
  return finding;
}

/// `environment 'shop' of '/src/shop.json' named 'second', since …, keeper 42`, as far as known.
std::string describe(const ArtefactRecord& instance, std::time_t since) {
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (!instance.environment.empty()) {
    std::string which = "environment '" + instance.environment + "'";
    if (!instance.spec_file.empty()) which += " of '" + instance.spec_file.string() + "'";
    if (!instance.name.empty()) which += " named '" + instance.name + "'";
    add(which);
  }
  if (since != 0) add("since " + time_text(since, "%Y-%m-%d %H:%M:%S"));
  if (instance.keeper != 0) add("keeper pid " + std::to_string(instance.keeper));
  return text;
}

std::string line_of(const Leftover& finding) {
  const std::string what = describe(finding.instance, finding.since);
  return finding.kind + " '" + finding.path.string() + "': " + what + (what.empty() ? "" : "; ") +
         finding.reason;
}

Json to_json(const ArtefactRecord& instance, std::time_t since) {
  Json json = {{"environment", instance.environment},
               {"spec_file", instance.spec_file.native()},
               {"name", instance.name},
               {"keeper", nullptr},
               {"since", nullptr}};
  if (instance.keeper != 0) json["keeper"] = instance.keeper;
  if (since != 0) json["since"] = time_text(since, "%Y-%m-%dT%H:%M:%S%z");
  return json;
}

struct Findings {
  std::vector<RunningInstance> live;
  std::vector<Leftover> stale;

  std::vector<Leftover> failed() const {
    std::vector<Leftover> found;
    std::copy_if(stale.begin(), stale.end(), std::back_inserter(found),
                 [](const Leftover& finding) { return finding.error != 0; });
    return found;
  }
};

Findings sweep_everything(const GcOptions& options) {
  const Sweep sweep = options.dry_run ? Sweep::kLook : Sweep::kRemove;
  Findings findings;
  std::set<std::filesystem::path> roots;
  const auto add_root_of = [&roots](const Lease& lease) {
    if (lease.artefact_directory.has_parent_path()) {
      roots.insert(lease.artefact_directory.parent_path());
    }
  };
  if (const auto run_root = find_run_root()) {
    for (const StaleDirectory& stale : sweep_stale(*run_root, sweep)) {
      if (stale.lease) add_root_of(*stale.lease);
      findings.stale.push_back(finding_of(stale));
    }
    findings.live = list_instances(*run_root);
    for (const RunningInstance& instance : findings.live) add_root_of(instance.lease);
  }
  if (options.artefacts) roots.insert(artefact_root(options.artefacts, "", ""));
  for (const std::filesystem::path& place : default_artefact_places()) {
    for (std::filesystem::path& root : artefact_roots_in(place)) roots.insert(std::move(root));
  }
  std::vector<OldArtefacts> old;
  for (const std::filesystem::path& root : roots) {
    for (OldArtefacts& dropped : drop_old_artefacts(root, sweep)) old.push_back(std::move(dropped));
  }
  for (OldArtefacts& dropped : drop_abandoned_artefacts(sweep, old)) {
    old.push_back(std::move(dropped));
  }
  for (const OldArtefacts& dropped : old) findings.stale.push_back(finding_of(dropped));
  return findings;
}

void print_json(const Findings& findings, bool dry_run) {
  Json json = {{"dry_run", dry_run}, {"stale", Json::array()}, {"live", Json::array()}};
  for (const Leftover& finding : findings.stale) {
    Json one = {{"kind", finding.kind == "artefacts" ? "artefacts" : "run_directory"},
                {"path", finding.path.native()}};
    one.update(to_json(finding.instance, finding.since));
    one["reason"] = finding.reason;
    one["removed"] = !dry_run && finding.error == 0;
    one["error"] = finding.error == 0 ? Json(nullptr) : Json(errno_text(finding.error));
    json["stale"].push_back(std::move(one));
  }
  for (const RunningInstance& instance : findings.live) {
    Json one = to_json(record_of(instance.lease), started_at(instance.directory));
    one["run_directory"] = instance.directory.path().native();
    one["artefact_directory"] = instance.lease.artefact_directory.native();
    json["live"].push_back(std::move(one));
  }
  std::cout << json.dump(2, ' ', false, Json::error_handler_t::replace) << std::endl;
}

void print_text(const Findings& findings, bool dry_run) {
  for (const Leftover& finding : findings.stale) {
    if (finding.error != 0) continue;
    std::cout << (dry_run ? "would remove " : "removed ") << line_of(finding) << '\n';
  }
  for (const RunningInstance& instance : findings.live) {
    std::cout << "live: " << describe(record_of(instance.lease), started_at(instance.directory))
              << '\n';
  }
  if (findings.stale.empty()) std::cout << "nothing to remove\n";
  std::cout << std::flush;
}

[[noreturn]] void refuse(const std::vector<Leftover>& failed) {
  std::string message = "cannot remove everything:";
  for (const Leftover& finding : failed) {
    message += "\n  " + line_of(finding) + ": " + errno_text(finding.error);
  }
  throw Error(message, ExitCode::kEnvironmentFailed,
              "remove it by hand when nothing needs it, and run 'isoenv gc' again");
}

}  // namespace

int gc_command(const std::vector<std::string>& arguments) {
  const GcOptions options = parse_gc(arguments);
  const Findings findings = sweep_everything(options);
  const std::vector<Leftover> failed = findings.failed();
  if (options.json) {
    print_json(findings, options.dry_run);
    return static_cast<int>(failed.empty() ? ExitCode::kOk : ExitCode::kEnvironmentFailed);
  }
  print_text(findings, options.dry_run);
  if (!failed.empty()) refuse(failed);
  return static_cast<int>(ExitCode::kOk);
}

}  // namespace isoenv
