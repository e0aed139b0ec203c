#include "env/environment.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/error.h"
#include "base/exit_status.h"
#include "base/pause.h"
#include "base/text.h"

namespace isoenv {
namespace {

namespace asio = boost::asio;

/// More at once would not be done sooner, since each takes the keeper's time; but whatever a start
/// waits for wakes all who are starting.
constexpr std::size_t kStartsAtOnce = 32;

bool has_failed(ServiceState state) {
  return state == ServiceState::kFailed || state == ServiceState::kExited;
}

}  // namespace

Environment::Environment(asio::any_io_executor executor, const EnvironmentPlan& plan,
                         Backend& backend, Clock& clock, Incidents& incidents, Timeline& timeline)
    : executor_(executor),
      plan_(plan),
      backend_(backend),
      clock_(clock),
      incidents_(incidents),
      timeline_(timeline),
      dependents_(plan.services.size()),
      changed_(executor),
      starts_(executor, kStartsAtOnce) {
  lives_.reserve(plan.services.size());
  for (std::size_t service = 0; service < plan.services.size(); ++service) {
    lives_.emplace_back(executor);
    for (const DependencyPlan& dependency : plan.services[service].depends) {
      dependents_[dependency.service].push_back(service);
    }
  }
}

asio::awaitable<UpReport> Environment::up(std::vector<std::size_t> services) {
  co_return co_await bring(plan_.closure(services));
}

asio::awaitable<UpReport> Environment::up_paused(std::vector<std::size_t> services,
                                                 std::vector<std::size_t> paused) {
  std::vector<std::size_t> wanted = plan_.closure(services);
  for (const std::size_t service : paused) {
    const std::string& name = plan_.services[service].name;
    if (std::find(wanted.begin(), wanted.end(), service) == wanted.end()) {
      throw Error("'" + name + "' is not among the services to start", ExitCode::kUsage,
                  "name it too");
    }
    const Life& life = lives_[service];
    if (!life.alive && life.state != ServiceState::kCompleted) continue;
    throw Error("'" + name + "' cannot be paused before its start: it is " +
                    state_name(life.state) + " already",
                ExitCode::kEnvironmentFailed, "'isoenv down " + name + "' first");
  }
  for (const std::size_t service : paused) lives_[service].pauses = true;
  co_return co_await bring(std::move(wanted), std::move(paused));
}

asio::awaitable<UpReport> Environment::bring(std::vector<std::size_t> wanted,
                                             std::vector<std::size_t> to_pause) {
  const Clock::TimePoint asked = clock_.now();
  for (const std::size_t service : wanted) {
    Life& life = lives_[service];
    // A life that ends, or has to, is waited for; the next one starts from nothing.
    while (life.stops > 0 || (life.alive && has_failed(life.state))) {
      co_await life.changed.wait();
    }
    ++life.claims;
    if (life.state == ServiceState::kPaused) {
      FaultReport resumed;
      co_await resume(service, "", resumed);
    }
    const bool failed_before = adopt(service);
    if (failed_before && life.harm.kind == Harm::Kind::kNone) had_failures_ = true;
    if (failed_before || life.alive || life.state == ServiceState::kCompleted) continue;
    begin_life(service, asked);
  }
  std::vector<bool> excused(lives_.size(), false);
  const auto all_settled = [&] {
    if (!to_pause.empty()) excused = held_up();
    return std::all_of(wanted.begin(), wanted.end(),
                       [&](std::size_t s) { return settled(s) || excused[s]; });
  };
  while (!all_settled()) {
    if (!to_pause.empty()) {
      co_await changed_.wait();
      continue;
    }
    for (const std::size_t service : wanted) {
      while (!settled(service)) co_await lives_[service].changed.wait();
    }
  }

  UpReport report{plan_.name, wanted.size(), {}};
  for (const std::size_t service : wanted) {
    const std::string& name = plan_.services[service].name;
    if (lives_[service].held && excused[service]) {
      report.paused.push_back({name, lives_[service].pid});
    } else if (excused[service]) {
      report.waiting.push_back(name);
    } else if (!satisfies(service, Need::kReady)) {
      report.failures.push_back(failure(service));
    }
  }
  if (report.failures.empty()) co_return report;
  std::vector<std::size_t> unclaimed;
  for (const std::size_t service : wanted) {
    Life& life = lives_[service];
    if (life.claims > 0 && --life.claims == 0) unclaimed.push_back(service);
  }
  co_await take_down(std::move(unclaimed));
  co_return report;
}

/// The life that begins is over when its coroutine has ended.
void Environment::begin_life(std::size_t service, Clock::TimePoint asked) {
  Life& life = lives_[service];
  life.alive = true;
  life.stop_requested = false;
  life.failure = {};
  life.harm = {};
  life.ends_in_a_row = 0;
  set_state(service, ServiceState::kWaiting);
  timeline_.asked(service, asked);
  asio::co_spawn(executor_, live(service), asio::detached);
}

asio::awaitable<DownReport> Environment::down(std::vector<std::size_t> services) {
  const std::vector<std::size_t> targets = with_dependents(services);
  DownReport report = co_await take_down(targets);
  report.incidents = incidents_.take_untold(targets);
  co_return report;
}

asio::awaitable<DownReport> Environment::down_all() {
  std::vector<std::size_t> all(lives_.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  DownReport report = co_await take_down(all);
  report.incidents = incidents_.take_untold(all);
  co_return report;
}

/// One life of a service, from its first wait to the end of its last process; with a restart policy
/// as many in a row as that allows.
asio::awaitable<void> Environment::live(std::size_t service) {
  Life& life = lives_[service];
  do {
    try {
      co_await bring_up(service);
    } catch (const std::exception& exception) {
      const Error error = told(exception);
      fail(service, error.what(), error.frames());
    }
    if (life.state == ServiceState::kReady) co_await watch(service);
    if (!life.stop_requested) {
      // Nobody else is taking it down: its sandbox goes with it.
      std::vector<std::string> problems;
      co_await backend_.stop(service, problems);
      for (const std::string& problem : problems) backend_.event(problem);
    }
    life.pid = 0;
  } while (co_await pause_before_restart(service));
  life.alive = false;
  tell_change(service);
}

/// Returns when a service that is ready has ended, or can no longer be watched.
asio::awaitable<void> Environment::watch(std::size_t service) {
  Life& life = lives_[service];
  std::optional<ExitStatus> status;
  std::string lost;
  try {
    status = co_await backend_.exited(service);
  } catch (const std::exception& exception) {
    lost = std::string("it can no longer be watched: ") + told(exception).what();
  }
  if (life.stop_requested || has_failed(life.state)) co_return;
  if (status) {
    ended_by_itself(service, *status);
  } else {
    fail(service, "ended while it should have been up: " + lost);
    life.state = ServiceState::kExited;
  }
}

asio::awaitable<void> Environment::bring_up(std::size_t service) {
  const ServicePlan& plan = plan_.services[service];
  Life& life = lives_[service];

  if (!co_await dependencies_met(service)) co_return;
  Turnstile::Pass pass = co_await starts_.enter();
  if (life.stop_requested) {
    fail(service, "stopped before it was started");
    co_return;
  }

  life.readiness.clear();
  life.sent = {};
  life.harm = {};
  set_state(service, ServiceState::kStarting);
  life.started = clock_.now();
  ++life.starts;
  const bool pauses = std::exchange(life.pauses, false);
  if (pauses) backend_.hold_next_start(service);
  const StartOutcome started = co_await backend_.start(service);
  pass.reset();
  if (const auto* not_started = std::get_if<NotStarted>(&started)) {
    fail(service, not_started->reason);
    co_return;
  }
  life.pid = std::get<Started>(started).pid;
  if (pauses && !co_await stand_still(service)) co_return;
  tell_change(service);
  backend_.event(plan.name + ": started, pid " + std::to_string(life.pid));

  const ReadyOutcome outcome = co_await backend_.wait_ready(service);
  const std::string took = exact_duration(clock_.now() - life.started);
  if (life.stop_requested) {
    fail(service, "stopped before it was ready");
  } else if (const auto* exited = std::get_if<ExitedBeforeReady>(&outcome)) {
    const std::string meant = ended_as_meant(service, exited->status);
    if (!meant.empty()) {
      fail(service, meant, {}, /*meant=*/true);
    } else {
      fail(service,
           (plan.is_task ? "failed: " : "ended before it was ready: ") + exited->status.describe(),
           exited->diagnosis);
    }
    consider_restart(service, exited->status);
  } else if (const auto* late = std::get_if<NotReadyInTime>(&outcome)) {
    fail(service,
         (plan.is_task ? "not completed within " : "not ready within ") +
             exact_duration(plan.ready_timeout),
         late->diagnosis);
  } else {
    life.readiness = (plan.is_task ? "completed after " : "ready after ") + took;
    life.ready_at = clock_.now();
    set_state(service, plan.is_task ? ServiceState::kCompleted : ServiceState::kReady);
    const std::string figures = start_figures(timeline_.start(service));
    backend_.event(plan.name + ": " + life.readiness +
                   (figures.empty() ? "" : " (" + figures + ")"));
  }
}

asio::awaitable<bool> Environment::dependencies_met(std::size_t service) {
  Life& life = lives_[service];
  for (const DependencyPlan& dependency : plan_.services[service].depends) {
    const std::string& name = plan_.services[dependency.service].name;
    life.readiness = "waits for '" + name + "'";
    // What somebody has paused, stopped or killed on purpose is meant to be missed.
    const auto met = [&] {
      return satisfies(dependency.service, dependency.need) ||
             lives_[dependency.service].harm.kind != Harm::Kind::kNone;
    };
    while (!life.stop_requested && !met() && !settled(dependency.service)) {
      co_await life.changed.wait();
    }
    if (life.stop_requested) {
      fail(service, "stopped before it was started");
      co_return false;
    }
    if (!met()) {
      fail(service, "not started: it needs '" + name + "', which failed");
      co_return false;
    }
  }
  co_return true;
}

asio::awaitable<DownReport> Environment::take_down(std::vector<std::size_t> targets,
                                                   ServiceState to) {
  std::sort(targets.begin(), targets.end());
  DownReport report;
  std::vector<bool> waiting(lives_.size(), false);
  for (const std::size_t target : targets) {
    waiting[target] = true;
    ++lives_[target].stops;
  }
  // One coroutine a service; each first waits for its dependents among the targets.
  for (auto target = targets.rbegin(); target != targets.rend(); ++target) {
    asio::co_spawn(
        executor_,
        [](Environment& self, std::size_t service, std::vector<bool>& pending, DownReport& result,
           ServiceState end) -> asio::awaitable<void> {
          const std::vector<std::size_t> itself{service};
          const std::vector<std::size_t> dependents = self.with_dependents(itself);
          for (const std::size_t dependent : dependents) {
            while (dependent != service && pending[dependent]) {
              co_await self.lives_[dependent].changed.wait();
            }
          }
          ServiceStop stop = co_await self.tear_down(service, result.problems, end);
          if (stop.how != ServiceStop::How::kNotRunning) result.stops.push_back(std::move(stop));
          pending[service] = false;
          --self.lives_[service].stops;
          self.tell_change(service);
        }(*this, *target, waiting, report, to),
        asio::detached);
  }
  for (const std::size_t target : targets) {
    while (waiting[target]) co_await lives_[target].changed.wait();
  }
  // When nothing is left of the instance either, the kernel does that.
  if (to == ServiceState::kDown && !idle()) {
    for (const std::size_t target : targets) {
      if (!lives_[target].alive) backend_.let_go(target);
    }
  }
  co_return report;
}

asio::awaitable<ServiceStop> Environment::tear_down(std::size_t service,
                                                    std::vector<std::string>& problems,
                                                    ServiceState to) {
  const std::string& name = plan_.services[service].name;
  Life& life = lives_[service];
  life.claims = 0;
  ServiceStop stop;
  stop.service = name;
  if (life.alive && !life.stop_requested) {
    life.stop_requested = true;
    const bool was_running = life.pid != 0;
    const bool was_up = life.state == ServiceState::kReady || life.state == ServiceState::kPaused;
    const bool was_ready = was_up && !life.held;
    if (was_up) set_state(service, ServiceState::kStopping);
    tell_change(service);
    stop = co_await backend_.stop(service, problems);
    // How it ends is of interest when it was to end for good: a fault may be meant to be rough.
    if (was_ready && to == ServiceState::kDown) judge_stop(service, stop);
    if (was_running && stop.how != ServiceStop::How::kNotRunning) {
      backend_.event(name + (stop.how == ServiceStop::How::kKilled
                                 ? ": did not stop in time, killed"
                                 : ": stopped, " + stop.status));
    }
  }
  if (stop.how == ServiceStop::How::kKilled && !life.ahead) had_failures_ = true;
  while (life.alive) co_await life.changed.wait();
  if (to == ServiceState::kDown) {
    (void)adopt(service);
    life.harm = {};
    life.touched_by = 0;
  }
  // What is taken down at the same time stays down.
  const bool gone = life.state == ServiceState::kDown && to != ServiceState::kDown;
  if (!gone && (!has_failed(life.state) || life.failed_by_stop)) {
    life.readiness.clear();
    set_state(service, to);
  }
  co_return stop;
}

ServiceStatus Environment::status(std::size_t service) const {
  const ServicePlan& plan = plan_.services[service];
  const Life& life = lives_[service];
  ServiceStatus status;
  status.service = plan.name;
  status.is_task = plan.is_task;
  status.state = life.state;
  status.pid = life.pid;
  status.ipv4 = plan.ipv4;
  status.ipv6 = plan.ipv6;
  for (const PortPlan& port : plan.ports) {
    status.ports.push_back(port.name + " " + std::to_string(port.number) +
                           (port.protocol == Protocol::kUdp ? "/udp" : ""));
  }
  if (life.pid != 0) {
    status.uptime =
        std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now() - life.started);
  }
  status.restarts = life.starts > 0 ? life.starts - 1 : 0;
  status.readiness = life.harm.kind == Harm::Kind::kNone ? life.readiness : harm_text(service);
  return status;
}

bool Environment::idle() const noexcept {
  return std::none_of(lives_.begin(), lives_.end(), [](const Life& life) {
    return life.alive || life.stops > 0 || life.state == ServiceState::kStopped;
  });
}

ServiceFailure Environment::failure(std::size_t service) const {
  if (satisfies(service, Need::kReady)) return {};
  ServiceFailure failure = lives_[service].failure;
  failure.service = plan_.services[service].name;
  if (lives_[service].harm.kind != Harm::Kind::kNone) failure.what = harm_text(service);
  if (failure.what.empty()) failure.what = state_name(lives_[service].state);
  return failure;
}

void Environment::set_state(std::size_t service, ServiceState state) {
  lives_[service].state = state;
  timeline_.state(service, state);
  tell_change(service);
}

void Environment::tell_change(std::size_t service) {
  lives_[service].changed.notify_all();
  for (const std::size_t dependent : dependents_[service]) lives_[dependent].changed.notify_all();
  changed_.notify_all();
}

void Environment::fail(std::size_t service, const std::string& what,
                       const std::vector<std::string>& diagnosis, bool meant) {
  Life& life = lives_[service];
  life.failure = backend_.describe_failure(service);
  life.failure.what = what;
  life.failure.diagnosis.insert(life.failure.diagnosis.begin(), diagnosis.begin(), diagnosis.end());
  life.readiness = what;
  life.failed_by_stop = life.stop_requested;
  if (!life.stop_requested && !meant && !life.ahead) had_failures_ = true;
  if (!life.stop_requested) backend_.event(plan_.services[service].name + ": " + what);
  set_state(service, ServiceState::kFailed);
}

bool Environment::satisfies(std::size_t service, Need need) const {
  const Life& life = lives_[service];
  switch (need) {
    case Need::kStarted:
      return (life.pid != 0 && !life.held) || life.state == ServiceState::kReady;
    case Need::kReady:
    case Need::kCompleted:
      return life.state == ServiceState::kReady || life.state == ServiceState::kCompleted;
  }
  return false;
}

/// Nothing more will happen to it without a new request.
bool Environment::settled(std::size_t service) const {
  const ServiceState state = lives_[service].state;
  return state != ServiceState::kWaiting && state != ServiceState::kStarting &&
         state != ServiceState::kStopping && state != ServiceState::kRestarting;
}

/// The services and whatever depends on them, directly or not, in the plan's order.
std::vector<std::size_t> Environment::with_dependents(
    const std::vector<std::size_t>& services) const {
  std::vector<bool> marked(lives_.size(), false);
  std::vector<std::size_t> result;
  const auto mark = [&](std::size_t service) {
    if (!marked[service]) result.push_back(service);
    marked[service] = true;
  };
  for (const std::size_t service : services) mark(service);
  for (std::size_t next = 0; next < result.size(); ++next) {
    for (const std::size_t dependent : dependents_[result[next]]) mark(dependent);
  }
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace isoenv
