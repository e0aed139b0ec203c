// A backend without a machine: every outcome of every step of every service is scripted.
//
// A service is only a flag, up from a start that succeeded to its death or stop, so a test can ask
// what was left running. Records its calls in order and whatever the life cycle must never do. A
// step that is held stays open until it is released; stopping ends a held start or wait for
// readiness, as the real backend does.
#pragma once

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <csignal>
#include <cstddef>
#include <exception>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/event.h"
#include "base/exit_status.h"
#include "env/backend.h"
#include "plan/plan.h"

namespace isoenv::test {

class FakeBackend final : public Backend {
 public:
  enum class Step {
    kStart,
    kReadiness,
    kStop,   ///< the service ignores its stop signal
    kDrain,  ///< it has ended, its output is still being captured
    kPause,  ///< of pausing and of resuming
  };

  /// What happens to one service; may be changed at any time.
  struct Script {
    StartOutcome start = Started{};  ///< its pid is the backend's choice
    std::exception_ptr start_throws;
    std::optional<NotStarted> release;  ///< why a held program could not be executed
    ReadyOutcome readiness = Ready{};
    std::exception_ptr readiness_throws;
    std::exception_ptr exited_throws;
    ServiceStop::How stopped = ServiceStop::How::kStopped;
    std::string stop_status = "exit code 0";
    ExitStatus stop_exit;
    std::vector<std::string> stop_problems;
    std::vector<std::string> last_lines;
    bool dies_of_signals = false;  ///< of others than SIGKILL too
  };

  FakeBackend(boost::asio::any_io_executor executor, const EnvironmentPlan& plan) : plan_(plan) {
    for (std::size_t i = 0; i < plan.services.size(); ++i) services_.emplace_back(executor);
  }

  Script& script(const std::string& service) { return of(service).script; }
  void hold(const std::string& service, Step step) { of(service).held.insert(step); }
  void release(const std::string& service, Step step) {
    of(service).held.erase(step);
    of(service).changed->notify_all();
  }
  void release_all() {
    for (Service& service : services_) {
      service.held.clear();
      service.changed->notify_all();
    }
  }
  /// The program ends by itself.
  void die(const std::string& service, ExitStatus status) { end(of(service), status); }

  /// `start db`, `ready db` (its wait has ended well), `stop db`, `stopped db`.
  const std::vector<std::string>& calls() const { return calls_; }
  std::ptrdiff_t count(const std::string& call) const {
    return std::count(calls_.begin(), calls_.end(), call);
  }
  void forget_calls() { calls_.clear(); }
  const std::vector<std::string>& events() const { return events_; }
  /// What a backend need not bear: a start beside a running program or an unfinished stop.
  const std::vector<std::string>& violations() const { return violations_; }
  std::vector<std::string> running() const {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < services_.size(); ++i) {
      if (services_[i].running) names.push_back(plan_.services[i].name);
    }
    return names;
  }
  bool has_let_go_of(std::size_t service) const { return services_[service].let_go; }
  /// The pid that a service gets at its first start; each later one adds 1000.
  static std::int64_t first_pid(std::size_t service) {
    return 1001 + static_cast<std::int64_t>(service);
  }

  boost::asio::awaitable<StartOutcome> start(std::size_t index) override {
    Service& service = services_[index];
    record("start", index);
    if (service.running) violate("started while it runs", index);
    if (service.stopping > 0) violate("started while it is being stopped", index);
    service.starting = true;
    service.stop_asked = false;
    while (service.held.count(Step::kStart) > 0 && !service.stop_asked)
      co_await service.changed->wait();
    service.starting = false;
    service.changed->notify_all();
    if (service.script.start_throws) std::rethrow_exception(service.script.start_throws);
    if (service.stop_asked) co_return NotStarted{"stopped while it was being started"};
    if (std::holds_alternative<NotStarted>(service.script.start)) co_return service.script.start;
    service.running = true;
    ++service.starts;
    co_return Started{first_pid(index) + 1000 * (service.starts - 1)};
  }

  /// Recorded as `hold db`; `release db` ends it, and so does the service's end.
  void hold_next_start(std::size_t index) override {
    record("hold", index);
    services_[index].stands_still = true;
  }
  void release(std::size_t index) noexcept override {
    record("release", index);
    go_on(plan_.services[index].name);
  }
  /// As a debugger does.
  void go_on(const std::string& service) {
    of(service).stands_still = false;
    of(service).changed->notify_all();
  }
  boost::asio::awaitable<std::optional<NotStarted>> released(std::size_t index) override {
    const Service& service = services_[index];
    while (service.stands_still && service.running) co_await service.changed->wait();
    co_return service.script.release;
  }

  boost::asio::awaitable<ReadyOutcome> wait_ready(std::size_t index) override {
    Service& service = services_[index];
    while (service.held.count(Step::kReadiness) > 0 && service.running)
      co_await service.changed->wait();
    if (service.script.readiness_throws) std::rethrow_exception(service.script.readiness_throws);
    if (!service.running) co_return ExitedBeforeReady{service.status, {}};
    if (const auto* exited = std::get_if<ExitedBeforeReady>(&service.script.readiness)) {
      end(service, exited->status);
    }
    if (std::holds_alternative<Ready>(service.script.readiness)) {
      record("ready", index);
      if (plan_.services[index].is_task) end(service, {});
    }
    co_return service.script.readiness;
  }

  boost::asio::awaitable<ExitStatus> exited(std::size_t index) override {
    const Service& service = services_[index];
    while (service.running) co_await service.changed->wait();
    if (service.script.exited_throws) std::rethrow_exception(service.script.exited_throws);
    co_return service.status;
  }

  boost::asio::awaitable<ServiceStop> stop(std::size_t index,
                                           std::vector<std::string>& problems) noexcept override {
    Service& service = services_[index];
    record("stop", index);
    ++service.stopping;
    service.stop_asked = true;
    service.changed->notify_all();
    ServiceStop stop{plan_.services[index].name, ServiceStop::How::kNotRunning, "", std::nullopt};
    if (service.running) {
      while (service.held.count(Step::kStop) > 0 && service.running)
        co_await service.changed->wait();
      end(service, {0, 15, false});
      stop.how = service.script.stopped;
      stop.status = service.script.stop_status;
      stop.exit = service.script.stop_exit;
    }
    if (service.starting) {
      while (service.starting) co_await service.changed->wait();
      stop.how = ServiceStop::How::kStopped;
      stop.status = "killed by SIGKILL";
    }
    while (service.held.count(Step::kDrain) > 0) co_await service.changed->wait();
    for (const std::string& problem : service.script.stop_problems) problems.push_back(problem);
    --service.stopping;
    record("stopped", index);
    co_return stop;
  }

  /// Recorded as `SIGTERM db`.
  void signal(std::size_t index, int number) noexcept override {
    Service& service = services_[index];
    record(signal_name(number), index);
    if (number == SIGKILL || service.script.dies_of_signals) end(service, {0, number, false});
  }

  void let_go(std::size_t index) noexcept override { services_[index].let_go = true; }

  boost::asio::awaitable<void> pause(std::size_t index) override {
    return change_pace(index, /*paused=*/true);
  }
  boost::asio::awaitable<void> resume(std::size_t index) override {
    return change_pace(index, /*paused=*/false);
  }
  bool paused(const std::string& service) { return of(service).paused; }

  bool is_ending(std::size_t index, std::int64_t) const noexcept override {
    return !services_[index].running || services_[index].doomed;
  }
  /// Nothing of it runs any more, but exited() does not know yet.
  void doom(const std::string& service) { of(service).doomed = true; }

  void catch_up() noexcept override { ++catch_ups_; }
  int catch_ups() const { return catch_ups_; }

  ServiceFailure describe_failure(std::size_t index) override {
    ServiceFailure failure;
    failure.service = plan_.services[index].name;
    failure.last_lines = services_[index].script.last_lines;
    failure.log = "/logs/" + failure.service + ".log";
    return failure;
  }

  void event(const std::string& text) override { events_.push_back(text); }

 private:
  struct Service {
    explicit Service(const boost::asio::any_io_executor& executor)
        : changed(std::make_unique<Event>(executor)) {}

    std::unique_ptr<Event> changed;
    Script script;
    std::set<Step> held;
    bool starting = false;
    bool running = false;
    bool stop_asked = false;
    bool paused = false;
    bool stands_still = false;
    bool doomed = false;
    bool let_go = false;
    int stopping = 0;
    int starts = 0;
    ExitStatus status;
  };

  boost::asio::awaitable<void> change_pace(std::size_t index, bool paused) {
    Service& service = services_[index];
    record(paused ? "pause" : "resume", index);
    if (!service.running) violate("paused or resumed while it does not run", index);
    service.paused = paused;
    while (service.held.count(Step::kPause) > 0 && service.running)
      co_await service.changed->wait();
  }

  Service& of(const std::string& name) { return services_.at(plan_.find(name)); }
  void record(const std::string& call, std::size_t index) {
    calls_.push_back(call + " " + plan_.services[index].name);
  }
  void violate(const std::string& what, std::size_t index) {
    violations_.push_back(plan_.services[index].name + ": " + what);
  }
  void end(Service& service, ExitStatus status) {
    if (!service.running) return;
    service.running = false;
    service.paused = false;
    service.doomed = false;
    service.status = status;
    service.changed->notify_all();
  }

  const EnvironmentPlan& plan_;
  std::vector<Service> services_;
  int catch_ups_ = 0;
  std::vector<std::string> calls_;
  std::vector<std::string> events_;
  std::vector<std::string> violations_;
};

}  // namespace isoenv::test
