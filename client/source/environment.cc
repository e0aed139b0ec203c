#include "isoenv/environment.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <utility>

#include "source/enter.h"
#include "source/executable.h"
#include "source/instance.h"
#include "source/session.h"

namespace isoenv::inline client {
namespace {

constexpr char kInstanceVariable[] = "ISOENV_INSTANCE";
constexpr char kSpecVariable[] = "ISOENV_SPEC";
constexpr char kAlone[] = "alone";  // an `isoenv run` without a spec
constexpr int kCannotRun = 77;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::filesystem::path run_root() {
  const std::string chosen = variable("ISOENV_RUNTIME_DIR");
  return chosen.empty() ? "/tmp/isoenv-" + std::to_string(::geteuid()) : chosen;
}

/// What isoenv printed for programs.
Json parse_output(const std::string& command, const Outcome& outcome) {
  try {
    return Json::parse(outcome.out);
  } catch (const Json::exception&) {
    const bool knows_not = outcome.error.find("unknown ") != std::string::npos;
    throw EnvironmentError(
        outcome.error.empty() ? "'isoenv " + command + "' printed no JSON" : outcome.error,
        knows_not ? "'" + find_executable() + "' may be older than this library, " ISOENV_VERSION
                  : "",
        outcome.code == kCannotRun);
  }
}

std::shared_ptr<const Instance> find_from_outside(const std::filesystem::path& spec_file,
                                                  const std::string& name) {
  std::vector<std::string> words{"env", "--json"};
  if (!spec_file.empty()) words.insert(words.end(), {"--file", spec_file.string()});
  if (!name.empty()) words.insert(words.end(), {"--name", name});
  return std::make_shared<const Instance>(parse_instance(parse_output("env", run_isoenv(words))));
}

/// Nobody else's, wherever process ids are counted.
std::string unique_name() {
  std::random_device random;
  char text[32];
  std::snprintf(text, sizeof text, "test-%08x%08x", random(), random());
  return text;
}

/// Why an `up` failed, service by service.
[[noreturn]] void report_failures(const Json& report) {
  std::string text = "environment '" + report.at("environment").get<std::string>() + "' is not up:";
  for (const Json& failure : report.at("failures")) {
    text += "\n  " + failure_text(failure);
  }
  throw EnvironmentError(text);
}

}  // namespace

Environment::Environment(std::shared_ptr<const Instance> instance, bool owned)
    : instance_(std::move(instance)), owned_(owned) {}

Environment::Environment(Environment&& other) noexcept
    : instance_(std::move(other.instance_)), owned_(std::exchange(other.owned_, false)) {}

Environment& Environment::operator=(Environment&& other) noexcept {
  std::swap(instance_, other.instance_);
  std::swap(owned_, other.owned_);
  return *this;
}

Environment::~Environment() {
  try {
    down();
  } catch (const std::exception&) {
    // It ends with this process in any case.
  }
}

Environment Environment::current() {
  const std::string id = variable(kInstanceVariable);
  if (id == kAlone) {
    throw EnvironmentError("this is an 'isoenv run' without a spec: it has no services",
                           "give it one: isoenv run -f FILE");
  }
  if (id.empty()) return Environment(find_from_outside(variable(kSpecVariable), ""), false);
  return Environment(std::make_shared<const Instance>(ask_instance(run_root() / id)), false);
}

Environment Environment::find(const std::filesystem::path& spec_file, const std::string& name) {
  return Environment(find_from_outside(spec_file, name), false);
}

Environment Environment::up(const std::filesystem::path& spec_file, const UpOptions& options) {
  const std::string name = unique_name();
  std::vector<std::string> words{"up",     "--json", "--file",  spec_file.string(),
                                 "--name", name,     "--owner", std::to_string(::getpid())};
  if (!options.isolation.empty()) words.insert(words.end(), {"--isolation", options.isolation});
  if (!options.artefacts.empty()) {
    words.insert(words.end(), {"--artefacts", options.artefacts.string()});
  }
  words.emplace_back("--");
  words.insert(words.end(), options.services.begin(), options.services.end());
  const Json report = parse_output("up", run_isoenv(words));
  try {
    if (!report.at("failures").empty()) report_failures(report);
  } catch (const Json::exception& error) {
    throw EnvironmentError(std::string("the report of 'isoenv up' makes no sense: ") +
                           error.what());
  }
  return Environment(find_from_outside(spec_file, name), true);
}

const std::string& Environment::name() const noexcept { return instance_->environment; }
const std::string& Environment::instance_id() const noexcept { return instance_->id; }
const std::filesystem::path& Environment::spec_file() const noexcept {
  return instance_->spec_file;
}
const std::filesystem::path& Environment::artefact_directory() const noexcept {
  return instance_->artefacts;
}
const std::string& Environment::rung() const noexcept { return instance_->rung; }

Service Environment::service(const std::string& name) const {
  std::string known;
  for (std::size_t i = 0; i < instance_->services.size(); ++i) {
    if (instance_->services[i].name == name) return {instance_, i};
    known += (known.empty() ? "it has: " : ", ") + instance_->services[i].name;
  }
  throw EnvironmentError(
      "environment '" + instance_->environment + "' has no service '" + name + "'", known);
}

std::vector<Service> Environment::services() const {
  std::vector<Service> services;
  for (std::size_t i = 0; i < instance_->services.size(); ++i) services.emplace_back(instance_, i);
  return services;
}

bool Environment::is_inside() const { return client::is_inside(*instance_); }

void Environment::enter() { client::enter(*instance_); }

void Environment::mark(const std::string& text) const {
  instance_->connection.ask({{"request", "mark"}, {"services", Json::array()}, {"text", text}});
}

void Environment::down() {
  if (std::exchange(owned_, false)) instance_->connection.take_down();
}

std::optional<Environment> join_environment() {
  if (variable(kInstanceVariable) == kAlone) return std::nullopt;
  Environment environment = Environment::current();
  // Without namespaces there is nothing to enter, but variables to set.
  if (variable(kInstanceVariable) != environment.instance_id() || !environment.is_inside()) {
    environment.enter();
    std::fprintf(stderr, "isoenv: joined the instance of '%s' from '%s'\n",
                 environment.name().c_str(), environment.spec_file().c_str());
  }
  return environment;
}

}  // namespace isoenv::inline client
