// Environment, continued: how services end, what that means, and those that are started again.
#include <algorithm>
#include <string>
#include <utility>

#include "base/exit_status.h"
#include "base/pause.h"
#include "base/text.h"
#include "env/environment.h"

namespace isoenv {
namespace {

namespace asio = boost::asio;

/// A service that ends by itself is started again after a pause that doubles each time; one that
/// was ready for a while begins anew.
constexpr std::chrono::milliseconds kFirstRestart{100};
constexpr std::chrono::milliseconds kLastRestart{5'000};
constexpr unsigned kMostRestarts = 10;
constexpr std::chrono::seconds kStableAfter{10};

/// Who hangs in the kernel while it ends is not waited for.
constexpr std::chrono::seconds kLongestEnd{3};

}  // namespace

asio::awaitable<void> Environment::take_in_ends(std::vector<std::size_t> services) {
  for (const std::size_t service : services) {
    Life& life = lives_[service];
    const ServiceState up = life.state;
    if (up != ServiceState::kReady && up != ServiceState::kPaused) continue;
    if (!backend_.is_ending(service, life.pid)) continue;
    const auto known = [&life, up, starts = life.starts] {
      return life.state != up || life.starts != starts || life.stop_requested;
    };
    (void)co_await pause_unless(clock_, life.changed, kLongestEnd, known);
  }
}

void Environment::judge_stop(std::size_t service, const ServiceStop& stop) {
  const ServicePlan& plan = plan_.services[service];
  Incident incident;
  if (stop.how == ServiceStop::How::kKilled) {  // not its own end, so none to be expected
    incident.what = "did not stop within " + exact_duration(plan.stop_timeout) + " of " +
                    signal_name(plan.stop_signal) + ", and was killed";
  } else if (stop.exit && !is_proper_stop(plan, *stop.exit)) {
    incident.what = "ended badly when it was stopped: " + stop.status;
    incident.exit = stop.exit;
  } else {
    return;
  }
  const ServiceFailure known = backend_.describe_failure(service);
  incident.report = known.last_lines;
  incident.log = known.log;
  incidents_.add(service, std::move(incident));
  if (!lives_[service].ahead) had_failures_ = true;
}

/// It has ended unasked: by itself, or by a signal that was sent on purpose.
void Environment::ended_by_itself(std::size_t service, const ExitStatus& status) {
  const ServicePlan& plan = plan_.services[service];
  std::string meant = ended_as_meant(service, status);
  if (meant.empty() && is_expected_exit(plan, status)) {
    meant = "ended as is expected: " + status.describe();
  }
  if (meant.empty()) {
    fail(service, "ended while it should have been up: " + status.describe());
    const ServiceFailure& failure = lives_[service].failure;
    Incident incident;
    incident.what = failure.what;
    incident.exit = status;
    incident.report = failure.last_lines;
    incident.log = failure.log;
    incidents_.add(service, std::move(incident));
  } else {
    fail(service, meant, {}, /*meant=*/true);
  }
  lives_[service].state = ServiceState::kExited;
  backend_.event(plan.name + (meant.empty() ? ": ended by itself: " : ": ended as was meant: ") +
                 status.describe());
  consider_restart(service, status);
}

void Environment::consider_restart(std::size_t service, const ExitStatus& status) {
  const ServicePlan& plan = plan_.services[service];
  Life& life = lives_[service];
  if (plan.restart == RestartPolicy::kNever || life.stop_requested) return;
  if (status.success() || is_expected_exit(plan, status)) return;
  const bool was_ready = life.ready_at != Clock::TimePoint{};
  if (was_ready && clock_.now() - life.ready_at >= kStableAfter) life.ends_in_a_row = 0;
  life.ready_at = {};
  if (life.ends_in_a_row >= kMostRestarts) {
    backend_.event(plan.name + ": not restarted: it has ended " +
                   std::to_string(life.ends_in_a_row + 1) + " times in a row");
    return;
  }
  ++life.ends_in_a_row;
  set_state(service, ServiceState::kRestarting);
}

/// True when the service is to be started again, after its back-off.
asio::awaitable<bool> Environment::pause_before_restart(std::size_t service) {
  Life& life = lives_[service];
  if (life.state != ServiceState::kRestarting) co_return false;
  const auto pause = std::min(kFirstRestart * (1U << (life.ends_in_a_row - 1)), kLastRestart);
  backend_.event(plan_.services[service].name + ": restarts in " + exact_duration(pause) +
                 ", time " + std::to_string(life.ends_in_a_row) + " in a row");
  const bool time_came =
      co_await pause_unless(clock_, life.changed, pause, [&life] { return life.stop_requested; });
  life.failure = {};
  if (time_came) set_state(service, ServiceState::kWaiting);
  co_return time_came;
}

std::string Environment::ended_as_meant(std::size_t service, const ExitStatus& status) {
  Life& life = lives_[service];
  const Sent& sent = life.sent;
  if (sent.signal == 0) return "";
  if (status.signal != sent.signal && !asks_to_end(sent.signal)) return "";
  life.harm = {Harm::Kind::kKilled, sent.origin};
  return "ended after " + signal_name(sent.signal) + " by " + sent.origin.by + ": " +
         status.describe();
}

}  // namespace isoenv
