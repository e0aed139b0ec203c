#include "spec/service_reader.h"

#include <algorithm>

#include "spec/keys.h"
#include "spec/port_reader.h"
#include "spec/probe_reader.h"

namespace isoenv {
namespace {

struct Reading {
  ServiceSpec service;
  const DeclaredNames& declared;
  Faults& faults;
};

struct Key {
  const char* name;
  bool for_tasks;
  bool required;
  void (*read)(const Field&, Reading&);
};

void read_aliases(const Field& field, Reading& reading) {
  if (!is_list(field, reading.faults)) return;
  for (std::size_t i = 0; i < field.node.elements.size(); ++i) {
    const Field element{field.node.elements[i], index_path(field.where, i)};
    const auto alias = read_text(element, reading.faults);
    if (!alias) continue;
    check_host_name(*alias, "alias", element.where, reading.faults);
    reading.service.aliases.push_back(*alias);
  }
  check_count(field.node.elements.size(), "aliases", field.where, reading.faults);
}

void read_env_mode(const Field& field, Reading& reading) {
  const auto word = read_word(field, env_mode_words(), reading.faults);
  if (word) reading.service.env_mode = *word == "clean" ? EnvMode::kClean : EnvMode::kInherit;
}

/// What a dependency on `name` means when it says no more than the name.
Need default_need(const std::string& name, const DeclaredNames& declared) {
  return declared.tasks.contains(name) ? Need::kCompleted : Need::kReady;
}

void check_need(const DependencySpec& dependency, const std::string& where, Reading& reading) {
  const bool completed = dependency.need == Need::kCompleted;
  if (!completed && reading.declared.tasks.contains(dependency.name)) {
    reading.faults.push_back(
        {where, "'" + dependency.name + "' is a task, it can only be needed as \"completed\"",
         "write \"completed\""});
  }
  if (completed && reading.declared.services.contains(dependency.name)) {
    reading.faults.push_back({where, "'" + dependency.name + "' is a service, it does not complete",
                              "write \"ready\" or \"started\", or declare it under 'tasks'"});
  }
}

void read_depends(const Field& field, Reading& reading) {
  std::vector<DependencySpec>& depends = reading.service.depends;
  if (field.node.kind == JsonNode::Kind::kArray) {
    std::set<std::string> seen;
    const auto names = read_texts(field, reading.faults, /*allow_empty=*/false);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i].empty()) continue;
      if (!seen.insert(names[i]).second) {
        reading.faults.push_back({index_path(field.where, i), in_quotes(names[i]) + " stands twice",
                                  "remove one of them"});
        continue;
      }
      depends.push_back({names[i], default_need(names[i], reading.declared)});
    }
    return;
  }
  if (field.node.kind != JsonNode::Kind::kObject) {
    expected(field, "an object or a list", reading.faults,
             "write {\"NAME\": \"ready\"} or [\"NAME\"]");
    return;
  }
  for (const JsonMember& member : field.node.members) {
    const std::string where = key_path(field.where, member.name);
    DependencySpec dependency{member.name, default_need(member.name, reading.declared)};
    const auto word = read_word({member.value, where}, need_words(), reading.faults);
    if (word) {
      dependency.need = *word == "started"     ? Need::kStarted
                        : *word == "completed" ? Need::kCompleted
                                               : Need::kReady;
      check_need(dependency, where, reading);
    }
    depends.push_back(dependency);
  }
}

/// A secret has one source: the environment of whoever starts the instance.
void check_secrets(const ServiceSpec& service, const std::string& where, Faults& faults) {
  for (const std::string& name : service.secret_env) {
    const bool is_set = std::any_of(service.env.begin(), service.env.end(),
                                    [&](const auto& variable) { return variable.first == name; });
    if (!is_set) continue;
    faults.push_back({where, in_quotes(name) + " stands in 'env' too",
                      "remove it there: the value comes from the environment of 'isoenv up'"});
  }
}

constexpr Key kKeys[] = {
    {"command", true, true,
     [](const Field& field, Reading& r) { r.service.command = read_command(field, r.faults); }},
    {"launcher", true, false,
     [](const Field& field, Reading& r) { r.service.launcher = read_command(field, r.faults); }},
    {"working_directory", true, false,
     [](const Field& field, Reading& r) {
       r.service.working_directory = read_text(field, r.faults).value_or("");
     }},
    {"aliases", false, false, read_aliases},
    {"ports", true, false,
     [](const Field& field, Reading& r) { r.service.ports = read_ports(field, r.faults); }},
    {"env", true, false,
     [](const Field& field, Reading& r) { r.service.env = read_env(field, r.faults); }},
    {"env_mode", true, false, read_env_mode},
    {"secret_env", true, false,
     [](const Field& field, Reading& r) {
       r.service.secret_env = read_variable_names(field, r.faults);
     }},
    {"user", true, false,
     [](const Field& field, Reading& r) {
       r.service.user = read_account(field, r.faults).value_or("");
     }},
    {"depends", true, false, read_depends},
    {"ready", true, false,
     [](const Field& field, Reading& r) { r.service.ready = read_probes(field, r.faults); }},
    {"ready_timeout", true, false,
     [](const Field& field, Reading& r) {
       const auto value = read_duration(field, /*allow_zero=*/false, r.faults);
       if (value) r.service.ready_timeout = *value;
     }},
    {"stop_signal", true, false,
     [](const Field& field, Reading& r) {
       if (const auto value = read_signal(field, r.faults)) r.service.stop_signal = *value;
     }},
    {"stop_timeout", true, false,
     [](const Field& field, Reading& r) {
       const auto value = read_duration(field, /*allow_zero=*/true, r.faults);
       if (value) r.service.stop_timeout = *value;
     }},
    {"restart", false, false,
     [](const Field& field, Reading& r) {
       const auto word = read_word(field, restart_words(), r.faults);
       if (word == "on_failure") r.service.restart = RestartPolicy::kOnFailure;
     }},
    {"expect_exit", false, false,
     [](const Field& field, Reading& r) { r.service.expect_exit = read_exits(field, r.faults); }},
    {"allow_failure", false, false,
     [](const Field& field, Reading& r) {
       r.service.allow_failure = read_boolean(field, r.faults).value_or(false);
     }},
    {"log_limit", true, false,
     [](const Field& field, Reading& r) {
       if (const auto value = read_size(field, r.faults)) r.service.log_limit = *value;
     }},
    {"publish", false, false,
     [](const Field& field, Reading& r) {
       r.service.publish = read_forwards(field, /*allow_auto=*/true, r.faults);
     }},
    {"localhost", false, false,
     [](const Field& field, Reading& r) {
       r.service.localhost = read_forwards(field, /*allow_auto=*/false, r.faults);
     }},
};

std::vector<std::string> keys_of(bool tasks) {
  std::vector<std::string> names;
  for (const Key& key : kKeys) {
    if (key.for_tasks || !tasks) names.emplace_back(key.name);
  }
  return names;
}

void read_member(const JsonMember& member, const std::string& where, Reading& reading) {
  const bool is_task = reading.service.is_task;
  const std::string here = key_path(where, member.name);
  for (const Key& key : kKeys) {
    if (member.name != key.name) continue;
    if (is_task && !key.for_tasks) {
      reading.faults.push_back(
          {here, "a task has no '" + member.name + "'", "only a service is there to be reached"});
    } else {
      key.read({member.value, here}, reading);
    }
    return;
  }
  reading.faults.push_back(
      {here, "unknown key", suggest(member.name, is_task ? task_keys() : service_keys())});
}

}  // namespace

const std::vector<std::string>& service_keys() {
  static const std::vector<std::string> keys = keys_of(/*tasks=*/false);
  return keys;
}

const std::vector<std::string>& task_keys() {
  static const std::vector<std::string> keys = keys_of(/*tasks=*/true);
  return keys;
}

const std::vector<std::string>& need_words() {
  static const std::vector<std::string> words = {"started", "ready", "completed"};
  return words;
}

const std::vector<std::string>& restart_words() {
  static const std::vector<std::string> words = {"never", "on_failure"};
  return words;
}

const std::vector<std::string>& env_mode_words() {
  static const std::vector<std::string> words = {"inherit", "clean"};
  return words;
}

ServiceSpec read_service(const std::string& name, bool is_task, const Field& field,
                         const DeclaredNames& declared, Faults& faults) {
  Reading reading{{}, declared, faults};
  reading.service.name = name;
  reading.service.is_task = is_task;
  check_host_name(name, is_task ? "task" : "service", field.where, faults);
  if (!is_object(field, faults)) return reading.service;
  for (const JsonMember& member : field.node.members) read_member(member, field.where, reading);
  for (const Key& key : kKeys) {
    if (key.required && field.node.find(key.name) == nullptr) {
      faults.push_back({field.where, "missing key '" + std::string(key.name) + "'", ""});
    }
  }
  check_secrets(reading.service, field.where + ".secret_env", faults);
  check_probes(reading.service, field.where + ".ready", faults);
  check_forwards(reading.service, reading.service.publish, field.where + ".publish", faults);
  check_forwards(reading.service, reading.service.localhost, field.where + ".localhost", faults);
  return reading.service;
}

}  // namespace isoenv
