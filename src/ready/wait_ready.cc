#include "ready/wait_ready.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <exception>
#include <utility>

namespace isoenv {
namespace {

namespace asio = boost::asio;
using asio::use_awaitable;
using asio::experimental::make_parallel_group;
using std::chrono::milliseconds;

// A probe is asked again after a small share of the time that has passed, so that being ready is
// seen at once by that measure, and never so often that the asking itself takes the machine's time.
constexpr std::chrono::microseconds kShortestPause{250};
constexpr milliseconds kLongestPause{50};
constexpr int kShareOfWait = 32;
constexpr int kTimesOfAsking = 8;
// How long one attempt may hang before the next is worth more. The last one, at the deadline, has
// a little of its own: its answer is what people will read.
constexpr milliseconds kHttpAttempt{5'000};
constexpr milliseconds kCommandAttempt{30'000};
constexpr milliseconds kLastAttempt{1'000};

/// Ends a pause before its time: a probe may answer differently now.
class Wake {
 public:
  explicit Wake(const asio::any_io_executor& executor)
      : timer_(executor, asio::steady_timer::time_point::max()) {}

  void call() {
    called_ = true;
    timer_.cancel();
  }
  void clear() { called_ = false; }
  asio::awaitable<void> wait() {
    boost::system::error_code error;
    if (!called_) co_await timer_.async_wait(asio::redirect_error(use_awaitable, error));
  }

 private:
  asio::steady_timer timer_;
  bool called_ = false;
};

/// Lets the context call `wake` for as long as this lives.
class WakeRegistration {
 public:
  WakeRegistration(const ProbeContext& context, Wake& wake) : context_(context) {
    if (context_.on_change) context_.on_change([&wake] { wake.call(); });
  }
  ~WakeRegistration() {
    if (context_.on_change) context_.on_change({});
  }
  WakeRegistration(const WakeRegistration&) = delete;
  WakeRegistration& operator=(const WakeRegistration&) = delete;

 private:
  const ProbeContext& context_;
};

struct PendingProbe {
  const ProbePlan* probe = nullptr;
  std::string answer = "not asked yet";
};

class Wait {
 public:
  Wait(const std::vector<ProbePlan>& probes, const ProbeContext& context, milliseconds timeout,
       Clock& clock, const asio::any_io_executor& executor)
      : context_(context),
        clock_(clock),
        deadline_(clock.now() + timeout),
        wake_(executor),
        registration_(context, wake_) {
    for (const ProbePlan& probe : probes) pending_.push_back({&probe});
  }

  /// True when all have passed, false at the deadline.
  asio::awaitable<bool> ask_until_deadline();
  /// Asks once more what an ended process can still have answered.
  asio::awaitable<void> ask_after_exit();

  /// Passes the exit probe of this status. False when there is none.
  bool pass_exit(const ExitStatus& status);
  bool all_passed() const { return pending_.empty(); }
  std::vector<std::string> diagnosis() const;

 private:
  template <typename Predicate>
  asio::awaitable<void> ask(Predicate asked);
  asio::awaitable<void> pause(std::chrono::nanoseconds duration);
  milliseconds attempt_timeout(ProbeKind kind) const;
  bool is_polled(ProbeKind kind) const;

  const ProbeContext& context_;
  Clock& clock_;
  Clock::TimePoint deadline_;
  Wake wake_;
  WakeRegistration registration_;
  std::vector<PendingProbe> pending_;
};

asio::awaitable<bool> Wait::ask_until_deadline() {
  const Clock::TimePoint start = clock_.now();
  for (;;) {
    // What happens from here on is either seen by the probes below or ends the pause at once.
    wake_.clear();
    const Clock::TimePoint asked = clock_.now();
    co_await ask([](ProbeKind) { return true; });
    if (all_passed()) co_return true;

    const Clock::TimePoint now = clock_.now();
    const std::chrono::nanoseconds left = deadline_ - now;
    if (left.count() <= 0) co_return false;
    const bool polls = std::any_of(pending_.begin(), pending_.end(),
                                   [&](const PendingProbe& p) { return is_polled(p.probe->kind); });
    std::chrono::nanoseconds back_off =
        std::max((now - start) / kShareOfWait, (now - asked) * kTimesOfAsking);
    back_off = std::clamp<std::chrono::nanoseconds>(back_off, kShortestPause, kLongestPause);
    co_await pause(polls ? std::min(back_off, left) : left);
  }
}

asio::awaitable<void> Wait::ask_after_exit() {
  co_await ask([](ProbeKind kind) {
    return kind == ProbeKind::kLog || kind == ProbeKind::kFile || kind == ProbeKind::kNotify;
  });
}

template <typename Predicate>
asio::awaitable<void> Wait::ask(Predicate asked) {
  for (auto pending = pending_.begin(); pending != pending_.end();) {
    const ProbePlan& probe = *pending->probe;
    if (!asked(probe.kind)) {
      ++pending;
      continue;
    }
    ProbeResult result = co_await attempt(probe, context_, attempt_timeout(probe.kind));
    pending->answer = std::move(result.answer);
    pending = result.passed ? pending_.erase(pending) : pending + 1;
  }
}

asio::awaitable<void> Wait::pause(std::chrono::nanoseconds duration) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  auto [order, sleep_failure, wake_failure] =
      co_await make_parallel_group(
          asio::co_spawn(executor, clock_.sleep_for(duration), asio::deferred),
          asio::co_spawn(executor, wake_.wait(), asio::deferred))
          .async_wait(asio::experimental::wait_for_one(), use_awaitable);
  const std::exception_ptr failure = order[0] == 0 ? sleep_failure : wake_failure;
  if (failure) std::rethrow_exception(failure);
}

milliseconds Wait::attempt_timeout(ProbeKind kind) const {
  const auto left = std::chrono::duration_cast<milliseconds>(deadline_ - clock_.now());
  return std::clamp(left, kLastAttempt, kind == ProbeKind::kExec ? kCommandAttempt : kHttpAttempt);
}

/// False for what tells by itself when it changes.
bool Wait::is_polled(ProbeKind kind) const {
  if (kind == ProbeKind::kExit) return false;
  const bool announced = kind == ProbeKind::kLog || kind == ProbeKind::kNotify;
  return !announced || !context_.on_change;
}

bool Wait::pass_exit(const ExitStatus& status) {
  return std::erase_if(pending_, [&](const PendingProbe& pending) {
           return pending.probe->kind == ProbeKind::kExit && status.signal == 0 &&
                  status.code == pending.probe->status;
         }) != 0;
}

std::vector<std::string> Wait::diagnosis() const {
  std::vector<std::string> lines;
  for (const PendingProbe& pending : pending_) {
    lines.push_back(describe(*pending.probe) + ": " + pending.answer);
  }
  return lines;
}

}  // namespace

asio::awaitable<ReadyOutcome> wait_ready(const std::vector<ProbePlan>& probes,
                                         const ProbeContext& context, AwaitExit await_exit,
                                         std::chrono::milliseconds timeout, Clock& clock) {
  if (probes.empty()) co_return Ready{};
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  Wait wait(probes, context, timeout, clock, executor);

  // The first to end, in whichever way, cancels the other; both have ended when this returns.
  auto [order, exit_failure, status, asking_failure, passed] =
      co_await make_parallel_group(
          asio::co_spawn(executor, await_exit(), asio::deferred),
          asio::co_spawn(executor, wait.ask_until_deadline(), asio::deferred))
          .async_wait(asio::experimental::wait_for_one(), use_awaitable);
  const bool exited = order[0] == 0;
  if (const std::exception_ptr failure = exited ? exit_failure : asking_failure) {
    std::rethrow_exception(failure);
  }
  if (!exited && passed) co_return Ready{};
  if (!exited) co_return NotReadyInTime{wait.diagnosis()};

  if (wait.pass_exit(status)) {
    co_await wait.ask_after_exit();
    if (wait.all_passed()) co_return Ready{};
  }
  co_return ExitedBeforeReady{status, wait.diagnosis()};
}

}  // namespace isoenv
