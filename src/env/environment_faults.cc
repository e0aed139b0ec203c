// Environment, continued: what is done to services on purpose, and undone.
#include <algorithm>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/exit_status.h"
#include "base/text.h"
#include "env/environment.h"

namespace isoenv {
namespace {

namespace asio = boost::asio;

bool contains(const std::vector<std::size_t>& services, std::size_t service) {
  return std::find(services.begin(), services.end(), service) != services.end();
}

std::string how_it_stopped(const ServiceStop& stop) {
  return stop.how == ServiceStop::How::kKilled ? "did not stop in time, killed"
                                               : "stopped, " + stop.status;
}

}  // namespace

asio::awaitable<FaultReport> Environment::act(Fault fault) {
  check_possible(fault);
  FaultReport report;
  std::sort(fault.services.begin(), fault.services.end());
  fault.services.erase(std::unique(fault.services.begin(), fault.services.end()),
                       fault.services.end());
  switch (fault.kind) {
    case FaultKind::kStop:
      co_await stop(fault, report);
      break;
    case FaultKind::kStart:
      for (const std::size_t service : fault.services) touch(service, fault.origin);
      co_await start(fault.services, report);
      break;
    case FaultKind::kRestart: {
      std::vector<bool> was_down;
      for (const Life& life : lives_) was_down.push_back(life.state == ServiceState::kDown);
      co_await stop(fault, report);
      // What somebody has taken down meanwhile stays down.
      std::vector<std::size_t> again;
      for (const std::size_t service : fault.services) {
        if (lives_[service].state != ServiceState::kDown || was_down[service]) {
          again.push_back(service);
        }
      }
      co_await start(std::move(again), report);
      break;
    }
    case FaultKind::kKill:
      co_await kill(fault, report);
      break;
    case FaultKind::kPause:
      co_await pause(fault, report);
      break;
    case FaultKind::kResume:
      for (const std::size_t service : fault.services) {
        co_await resume(service, fault.origin.by, report);
      }
      break;
  }
  co_return report;
}

/// A fault that cannot happen is told, and is not taken for one that has.
void Environment::check_possible(const Fault& fault) const {
  const std::string action = fault_name(fault.kind);
  for (const std::size_t service : fault.services) {
    const ServicePlan& plan = plan_.services[service];
    const ServiceState state = lives_[service].state;
    if (lives_[service].held) {
      if (fault.kind != FaultKind::kKill && fault.kind != FaultKind::kPause) continue;
      throw Error("cannot " + action + " '" + plan.name + "': it is paused before its start",
                  ExitCode::kEnvironmentFailed, "'isoenv resume " + plan.name + "' starts it");
    }
    if (plan.is_task) {
      throw Error("cannot " + action + " '" + plan.name + "': it is a task", ExitCode::kUsage,
                  "name a service");
    }
    const bool needs_life = fault.kind == FaultKind::kKill || fault.kind == FaultKind::kPause ||
                            fault.kind == FaultKind::kResume;
    const bool starts = fault.kind == FaultKind::kKill && state == ServiceState::kStarting &&
                        lives_[service].pid != 0;
    if (!needs_life || starts || state == ServiceState::kReady || state == ServiceState::kPaused) {
      continue;
    }
    throw Error(
        "cannot " + action + " '" + plan.name + "': it is not ready but " + state_name(state),
        ExitCode::kEnvironmentFailed,
        "'isoenv ps' tells more; 'isoenv start " + plan.name + "' makes it ready");
  }
}

void Environment::touch(std::size_t service, const FaultOrigin& origin) {
  lives_[service].touched_by = origin.keep ? 0 : origin.session;
}

asio::awaitable<void> Environment::stop(const Fault& fault, FaultReport& report) {
  for (const std::size_t service : fault.services) {
    touch(service, fault.origin);
    if (lives_[service].state == ServiceState::kDown) continue;
    backend_.event(plan_.services[service].name + ": " + fault_name(fault.kind) + " by " +
                   fault.origin.by);
  }
  const DownReport stopped = co_await take_down(fault.services, ServiceState::kStopped);
  for (const ServiceStop& stop : stopped.stops) {
    report.effects.push_back({stop.service, how_it_stopped(stop)});
  }
  for (const std::size_t service : fault.services) {
    Life& life = lives_[service];
    if (life.state == ServiceState::kStopped) life.harm = {Harm::Kind::kStopped, fault.origin};
    const std::string& name = plan_.services[service].name;
    const bool was_up = std::any_of(stopped.stops.begin(), stopped.stops.end(),
                                    [&](const ServiceStop& stop) { return stop.service == name; });
    if (!was_up) report.effects.push_back({name, "was not running"});
  }
  report.problems.insert(report.problems.end(), stopped.problems.begin(), stopped.problems.end());
}

/// With what they depend on, unless that is missing on purpose.
asio::awaitable<void> Environment::start(std::vector<std::size_t> services, FaultReport& report) {
  if (services.empty()) co_return;
  std::vector<std::size_t> wanted = plan_.closure(services);
  std::erase_if(wanted, [&](std::size_t service) {
    return !contains(services, service) && lives_[service].harm.kind != Harm::Kind::kNone;
  });
  UpReport up = co_await bring(std::move(wanted));
  for (const std::size_t service : services) {
    if (satisfies(service, Need::kReady)) {
      report.effects.push_back({plan_.services[service].name, lives_[service].readiness});
    }
  }
  for (ServiceFailure& failure : up.failures) report.failures.push_back(std::move(failure));
}

asio::awaitable<void> Environment::kill(const Fault& fault, FaultReport& report) {
  std::vector<unsigned> lives;
  for (const std::size_t service : fault.services) {
    Life& life = lives_[service];
    touch(service, fault.origin);
    life.sent = {fault.signal, fault.origin};
    backend_.event(plan_.services[service].name + ": " + signal_name(fault.signal) + " by " +
                   fault.origin.by);
    backend_.signal(service, fault.signal);
    lives.push_back(life.starts);
  }
  for (std::size_t i = 0; i < fault.services.size(); ++i) {
    const Life& life = lives_[fault.services[i]];
    const auto runs = [&] {
      return life.starts == lives[i] &&
             (life.state == ServiceState::kReady || life.state == ServiceState::kPaused ||
              life.state == ServiceState::kStarting || life.state == ServiceState::kStopping);
    };
    while (fault.signal == SIGKILL && runs()) {
      co_await lives_[fault.services[i]].changed.wait();
    }
    report.effects.push_back(
        {plan_.services[fault.services[i]].name,
         runs() ? "sent " + signal_name(fault.signal) : "ended by " + signal_name(fault.signal)});
  }
}

asio::awaitable<void> Environment::pause(const Fault& fault, FaultReport& report) {
  for (const std::size_t service : fault.services) {
    Life& life = lives_[service];
    touch(service, fault.origin);
    const std::string& name = plan_.services[service].name;
    const bool already = life.state == ServiceState::kPaused;
    // It may have ended while another was paused.
    if (!already && life.state != ServiceState::kReady) {
      report.failures.push_back(failure(service));
      continue;
    }
    life.harm = {Harm::Kind::kPaused, fault.origin};
    if (!already) {
      set_state(service, ServiceState::kPaused);
      backend_.event(name + ": paused by " + fault.origin.by);
      co_await backend_.pause(service);
    }
    report.effects.push_back({name, already ? "was paused already" : "paused"});
  }
}

/// Ready again is who answers again, not who was told to go on. `by`: "" when no event needs to
/// tell.
asio::awaitable<void> Environment::resume(std::size_t service, std::string by,
                                          FaultReport& report) {
  Life& life = lives_[service];
  const std::string& name = plan_.services[service].name;
  if (life.held) {
    co_await let_go(service, by, report);
    co_return;
  }
  if (life.state != ServiceState::kPaused) {
    report.effects.push_back({name, "was not paused"});
    co_return;
  }
  backend_.event(name + ": resumed" + (by.empty() ? "" : " by " + by));
  const std::string readiness = std::exchange(life.readiness, "resumed, not ready again yet");
  life.harm = {};
  set_state(service, ServiceState::kStarting);
  co_await backend_.resume(service);
  const ReadyOutcome outcome = co_await backend_.wait_ready(service);
  // It may have ended or been stopped meanwhile: its own coroutine tells.
  if (life.state == ServiceState::kStarting && std::holds_alternative<Ready>(outcome)) {
    life.readiness = readiness;
    set_state(service, ServiceState::kReady);
    report.effects.push_back({name, "resumed"});
    co_return;
  }
  if (const auto* late = std::get_if<NotReadyInTime>(&outcome);
      late != nullptr && life.state == ServiceState::kStarting) {
    fail(service, "not ready again within " + exact_duration(plan_.services[service].ready_timeout),
         late->diagnosis);
    // Its coroutine waits for that.
    std::vector<std::string> problems;
    co_await backend_.stop(service, problems);
    for (const std::string& problem : problems) report.problems.push_back(problem);
  }
  while (life.alive && life.state == ServiceState::kStarting) co_await life.changed.wait();
  report.failures.push_back(failure(service));
}

/// Returns when the program of the life under way is executed; false: the life has failed instead.
asio::awaitable<bool> Environment::stand_still(std::size_t service) {
  Life& life = lives_[service];
  const std::string& name = plan_.services[service].name;
  life.held = true;
  life.readiness = "paused before its start: 'isoenv resume " + name + "' lets it go on";
  backend_.event(name + ": paused before its start, pid " + std::to_string(life.pid));
  tell_change(service);
  const std::optional<NotStarted> failure = co_await backend_.released(service);
  life.held = false;
  life.readiness.clear();
  life.started = clock_.now();
  if (life.stop_requested) {
    fail(service, "stopped before it was started");
  } else if (failure) {
    fail(service, failure->reason);
  }
  co_return !failure && !life.stop_requested;
}

/// Which services stand still before their start, or wait for those. Dependencies come first.
std::vector<bool> Environment::held_up() const {
  std::vector<bool> result(lives_.size(), false);
  for (std::size_t service = 0; service < lives_.size(); ++service) {
    const auto& depends = plan_.services[service].depends;
    const bool waits = std::any_of(depends.begin(), depends.end(), [&](const auto& dependency) {
      return result[dependency.service] && !satisfies(dependency.service, dependency.need);
    });
    result[service] =
        lives_[service].held || (lives_[service].state == ServiceState::kWaiting && waits);
  }
  return result;
}

asio::awaitable<void> Environment::let_go(std::size_t service, std::string by,
                                          FaultReport& report) {
  Life& life = lives_[service];
  const std::string& name = plan_.services[service].name;
  backend_.event(name + ": let go" + (by.empty() ? "" : " by " + by));
  backend_.release(service);
  while (life.alive && !settled(service)) co_await life.changed.wait();
  if (satisfies(service, Need::kReady)) {
    report.effects.push_back({name, life.readiness});
  } else {
    report.failures.push_back(failure(service));
  }
}

asio::awaitable<FaultReport> Environment::undo(std::uint64_t session,
                                               std::vector<std::size_t> ended) {
  FaultReport report;
  FaultOrigin origin;
  origin.by = "the end of the test";
  std::vector<std::size_t> touched;
  for (std::size_t service = 0; service < lives_.size(); ++service) {
    const bool by_fault = session != 0 && lives_[service].touched_by == session;
    if (by_fault || contains(ended, service)) touched.push_back(service);
  }
  for (const std::size_t service : touched) {
    if (lives_[service].touched_by == session) lives_[service].touched_by = 0;
  }

  // What was told to end will, sooner or later: better now than in the next test.
  Fault end{FaultKind::kStop, {}, 0, origin};
  for (const std::size_t service : touched) {
    const Life& life = lives_[service];
    const bool runs = life.state == ServiceState::kReady || life.state == ServiceState::kPaused;
    if (runs && life.sent.signal != 0 && asks_to_end(life.sent.signal)) {
      end.services.push_back(service);
    } else if (life.state == ServiceState::kPaused) {
      co_await resume(service, origin.by, report);
    }
  }
  if (!end.services.empty()) co_await stop(end, report);

  std::vector<std::size_t> missing;
  for (const std::size_t service : touched) {
    const ServiceState state = lives_[service].state;
    const bool is_there = state == ServiceState::kReady || state == ServiceState::kPaused;
    if (!is_there && state != ServiceState::kDown) missing.push_back(service);
  }
  co_await start(std::move(missing), report);
  co_return report;
}

std::string Environment::harm_text(std::size_t service) const {
  const Life& life = lives_[service];
  const std::string& by = life.harm.origin.by;
  switch (life.harm.kind) {
    case Harm::Kind::kPaused:
      return "paused by " + by;
    case Harm::Kind::kStopped:
      return "stopped by " + by;
    case Harm::Kind::kKilled:
    case Harm::Kind::kNone:
      break;
  }
  return life.readiness;
}

}  // namespace isoenv
