#include "isoenv/service.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>
#include <utility>

#include "source/instance.h"
#include "source/log_state.h"
#include "source/session.h"

namespace isoenv::inline client {
namespace {

constexpr std::array kStateNames = {"down",      "waiting", "starting",   "ready",
                                    "completed", "failed",  "exited",     "stopping",
                                    "paused",    "stopped", "restarting", "unknown"};

ServiceState state_of(const std::string& name) {
  const auto* found = std::find(kStateNames.begin(), kStateNames.end() - 1, name);
  return static_cast<ServiceState>(found - kStateNames.begin());
}

/// Nothing of its own will make the service ready.
bool is_final(ServiceState state) {
  return state == ServiceState::kDown || state == ServiceState::kFailed ||
         state == ServiceState::kExited || state == ServiceState::kStopped;
}

std::string names_of(const std::vector<PortFacts>& ports) {
  std::string names;
  for (const PortFacts& port : ports) names += (names.empty() ? "" : ", ") + port.name;
  return names.empty() ? "it has none" : "it has: " + names;
}

const PortFacts& find_port(const ServiceFacts& service, const std::string& name) {
  for (const PortFacts& port : service.ports) {
    if (port.name == name) return port;
  }
  throw EnvironmentError("service '" + service.name + "' has no port '" + name + "'",
                         names_of(service.ports));
}

}  // namespace

const char* state_name(ServiceState state) noexcept {
  return kStateNames[static_cast<std::size_t>(state)];
}

Service::Service(std::shared_ptr<const Instance> instance, std::size_t position)
    : instance_(std::move(instance)), position_(position) {}

const std::string& Service::name() const noexcept { return instance_->services[position_].name; }
bool Service::is_task() const noexcept { return instance_->services[position_].is_task; }
const std::string& Service::host() const noexcept { return instance_->services[position_].host; }
const std::string& Service::address() const noexcept {
  return instance_->services[position_].address;
}
const std::filesystem::path& Service::log_file() const noexcept {
  return instance_->services[position_].log;
}

std::uint16_t Service::port() const {
  const ServiceFacts& service = instance_->services[position_];
  if (service.ports.empty()) throw EnvironmentError("service '" + service.name + "' has no port");
  return service.ports.front().number;
}

std::uint16_t Service::port(const std::string& name) const {
  return find_port(instance_->services[position_], name).number;
}

const std::string& Service::url() const {
  const ServiceFacts& service = instance_->services[position_];
  for (const PortFacts& port : service.ports) {
    if (!port.url.empty()) return port.url;
  }
  throw EnvironmentError("service '" + service.name + "' has no TCP port, and so no URL");
}

const std::string& Service::url(const std::string& port) const {
  const PortFacts& found = find_port(instance_->services[position_], port);
  if (!found.url.empty()) return found.url;
  throw EnvironmentError("the port '" + port + "' of service '" + name() +
                         "' is a UDP port, and has no URL");
}

ServiceStatus Service::status() const {
  const Json rows =
      instance_->connection.ask_for_report({{"request", "ps"}, {"services", Json::array()}});
  try {
    for (const Json& row : rows) {
      if (row.at("service") != name()) continue;
      ServiceStatus status;
      status.state = state_of(row.at("state"));
      status.pid = row.at("pid");
      status.uptime = std::chrono::milliseconds(row.at("uptime_ms").get<std::int64_t>());
      status.restarts = row.at("restarts");
      status.readiness = row.at("readiness");
      return status;
    }
  } catch (const Json::exception& error) {
    throw EnvironmentError(std::string("the list of services makes no sense: ") + error.what());
  }
  throw EnvironmentError("the instance does not know the service '" + name() + "' any more");
}

void Service::wait_ready(std::chrono::milliseconds patience) const {
  // Asked again and again: a request that waits in the keeper would outlive a test that gives up.
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (std::chrono::milliseconds pause{1};;
       pause = std::min(pause * 2, std::chrono::milliseconds{50})) {
    const ServiceStatus status = this->status();
    if (status.state == ServiceState::kReady || status.state == ServiceState::kCompleted) return;
    const std::string how = std::string(state_name(status.state)) +
                            (status.readiness.empty() ? "" : ": " + status.readiness);
    if (is_final(status.state)) {
      throw EnvironmentError("service '" + name() + "' is not going to be ready: it is " + how);
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      throw EnvironmentError("service '" + name() + "' was not ready within " +
                             std::to_string(patience.count()) + " ms: it is " + how);
    }
    std::this_thread::sleep_for(pause);
  }
}

void Service::pause(Undo undo) const { act("pause", SIGKILL, undo); }
void Service::resume() const { act("resume", SIGKILL, Undo::kAtTestEnd); }
void Service::kill(int signal, Undo undo) const { act("kill", signal, undo); }
void Service::stop(Undo undo) const { act("stop", SIGKILL, undo); }
void Service::start(Undo undo) const { act("start", SIGKILL, undo); }
void Service::restart(Undo undo) const { act("restart", SIGKILL, undo); }

void Service::act(const char* fault, int signal, Undo undo) const {
  const Json report =
      instance_->connection.ask_for_report({{"request", "fault"},
                                            {"services", {name()}},
                                            {"fault",
                                             {{"kind", fault},
                                              {"signal", signal},
                                              {"session", session_in(*instance_)},
                                              {"keep", undo == Undo::kKeep},
                                              {"by", "process " + std::to_string(::getpid())}}}});
  try {
    if (report.at("failures").empty()) return;
    std::string text = std::string("cannot ") + fault + " '" + name() + "':";
    for (const Json& failure : report.at("failures")) text += "\n  " + failure_text(failure);
    throw EnvironmentError(text);
  } catch (const Json::exception& error) {
    throw EnvironmentError(std::string("the report of a fault makes no sense: ") + error.what());
  }
}

Log Service::log() const {
  return Log(std::make_unique<Log::State>(instance_, position_, LogPlace::kBeginning));
}

Log Service::new_log() const {
  return Log(std::make_unique<Log::State>(instance_, position_, LogPlace::kEnd));
}

}  // namespace isoenv::inline client
