#include "spec/probe_reader.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "spec/keys.h"
#include "spec/port_reader.h"

namespace isoenv {
namespace {

using ValueReader = void (*)(const Field&, ProbeSpec&, Faults&);

struct ProbeKey {
  const char* name;
  ValueReader read;
};

struct KindEntry {
  const char* name;
  ProbeKind kind;
  ValueReader read;
  std::vector<ProbeKey> options;
};

void read_port(const Field& field, ProbeSpec& probe, Faults& faults) {
  if (field.node.kind == JsonNode::Kind::kInteger) {
    expected(field, "the name of a port", faults, "name it under 'ports'");
    return;
  }
  probe.port = read_text(field, faults).value_or("");
}

void read_target(const Field& field, ProbeSpec& probe, Faults& faults) {
  probe.path = read_text(field, faults).value_or("/");
  if (probe.path.starts_with("/") || probe.path.starts_with("{{")) return;
  faults.push_back({field.where, "the path " + in_quotes(probe.path) + " does not begin with '/'",
                    "write \"/" + probe.path + "\""});
}

void read_status(const Field& field, ProbeSpec& probe, Faults& faults) {
  probe.status = static_cast<int>(read_integer(field, 100, 599, faults).value_or(0));
}

void read_pattern(const Field& field, ProbeSpec& probe, Faults& faults) {
  probe.pattern = read_regex(field, faults).value_or("");
}

void read_exec(const Field& field, ProbeSpec& probe, Faults& faults) {
  probe.command = read_command(field, faults);
}

void read_path(const Field& field, ProbeSpec& probe, Faults& faults) {
  probe.path = read_text(field, faults).value_or("");
}

void read_notify(const Field& field, ProbeSpec&, Faults& faults) {
  if (field.node.kind == JsonNode::Kind::kBoolean && field.node.boolean) return;
  expected(field, "true", faults);
}

void read_exit(const Field& field, ProbeSpec& probe, Faults& faults) {
  probe.status = static_cast<int>(read_integer(field, 0, 255, faults).value_or(0));
}

const std::vector<KindEntry>& kinds() {
  static const std::vector<KindEntry> entries = {
      {"tcp", ProbeKind::kTcp, read_port, {}},
      {"udp", ProbeKind::kUdp, read_port, {}},
      {"http",
       ProbeKind::kHttp,
       read_port,
       {{"path", read_target}, {"status", read_status}, {"body", read_pattern}}},
      {"log", ProbeKind::kLog, read_pattern, {}},
      {"exec", ProbeKind::kExec, read_exec, {}},
      {"file", ProbeKind::kFile, read_path, {}},
      {"unix", ProbeKind::kUnix, read_path, {}},
      {"notify", ProbeKind::kNotify, read_notify, {}},
      {"exit", ProbeKind::kExit, read_exit, {}},
  };
  return entries;
}

const KindEntry* find_kind(const std::string& name) {
  const auto& all = kinds();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const KindEntry& entry) { return name == entry.name; });
  return found == all.end() ? nullptr : &*found;
}

bool is_option_of_any(const std::string& name) {
  return std::any_of(kinds().begin(), kinds().end(), [&](const KindEntry& entry) {
    const std::vector<std::string>& options = probe_options(entry.name);
    return std::find(options.begin(), options.end(), name) != options.end();
  });
}

void report_no_kind(const Field& field, Faults& faults) {
  bool misspelt = false;
  for (const JsonMember& member : field.node.members) {
    if (is_option_of_any(member.name)) continue;
    misspelt = true;
    faults.push_back(
        {key_path(field.where, member.name), "unknown key", suggest(member.name, probe_kinds())});
  }
  if (misspelt) return;
  faults.push_back(
      {field.where, "the probe has no kind", "it needs one of " + join(probe_kinds(), ", ")});
}

/// The kind the object names; nullptr, with a fault, when it names none or two.
const KindEntry* only_kind(const Field& field, Faults& faults) {
  const KindEntry* only = nullptr;
  for (const JsonMember& member : field.node.members) {
    const KindEntry* kind = find_kind(member.name);
    if (kind == nullptr) continue;
    if (only != nullptr) {
      faults.push_back({field.where,
                        "a probe has one kind, this one has '" + std::string(only->name) +
                            "' and '" + member.name + "'",
                        "write two probes: all of them must pass"});
      return nullptr;
    }
    only = kind;
  }
  if (only == nullptr) report_no_kind(field, faults);
  return only;
}

ProbeSpec read_probe(const Field& field, Faults& faults) {
  ProbeSpec probe;
  if (!is_object(field, faults)) return probe;
  const KindEntry* kind = only_kind(field, faults);
  if (kind == nullptr) return probe;
  probe.kind = kind->kind;
  if (probe.kind == ProbeKind::kHttp) probe.path = "/";
  for (const JsonMember& member : field.node.members) {
    const Field value{member.value, key_path(field.where, member.name)};
    if (member.name == kind->name) {
      kind->read(value, probe, faults);
      continue;
    }
    const auto option =
        std::find_if(kind->options.begin(), kind->options.end(),
                     [&](const ProbeKey& candidate) { return member.name == candidate.name; });
    if (option != kind->options.end()) {
      option->read(value, probe, faults);
    } else {
      faults.push_back(
          {value.where,
           "a probe of kind '" + std::string(kind->name) + "' has no " + in_quotes(member.name),
           suggest(member.name, probe_options(kind->name))});
    }
  }
  return probe;
}

}  // namespace

const std::vector<std::string>& probe_kinds() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const KindEntry& entry : kinds()) all.emplace_back(entry.name);
    return all;
  }();
  return names;
}

const std::vector<std::string>& probe_options(const std::string& kind) {
  static const std::map<std::string, std::vector<std::string>> options = [] {
    std::map<std::string, std::vector<std::string>> all;
    for (const KindEntry& entry : kinds()) {
      std::vector<std::string>& names = all[entry.name];
      for (const ProbeKey& option : entry.options) names.emplace_back(option.name);
    }
    return all;
  }();
  static const std::vector<std::string> none;
  const auto found = options.find(kind);
  return found == options.end() ? none : found->second;
}

std::vector<ProbeSpec> read_probes(const Field& field, Faults& faults) {
  std::vector<ProbeSpec> probes;
  if (!is_list(field, faults)) return probes;
  for (std::size_t i = 0; i < field.node.elements.size(); ++i) {
    probes.push_back(read_probe({field.node.elements[i], index_path(field.where, i)}, faults));
  }
  check_count(probes.size(), "probes", field.where, faults);
  return probes;
}

void check_probes(const ServiceSpec& service, const std::string& where, Faults& faults) {
  bool has_exit = false;
  for (std::size_t i = 0; i < service.ready.size(); ++i) {
    const ProbeSpec& probe = service.ready[i];
    const std::string here = index_path(where, i);
    if (probe.kind == ProbeKind::kExit) {
      if (!service.is_task) {
        faults.push_back({here + ".exit", "only a task is ready when it has exited",
                          "declare '" + service.name + "' under 'tasks'"});
      } else if (has_exit) {
        faults.push_back({here + ".exit", "a second 'exit' in one task", "keep one of them"});
      }
      has_exit = true;
    }
    if (probe.port.empty()) continue;
    const bool udp = probe.kind == ProbeKind::kUdp;
    const std::string key = udp ? "udp" : probe.kind == ProbeKind::kTcp ? "tcp" : "http";
    check_port(service, probe.port, udp ? Protocol::kUdp : Protocol::kTcp, here + "." + key,
               "'" + key + "' asks a " + (udp ? "UDP" : "TCP") + " port", faults);
  }
}

}  // namespace isoenv
