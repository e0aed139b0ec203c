// The product's story: services come up in dependency order, and go down in the reverse.
//
// bring_up and tear_down each read as one list of steps. Each service has one life at a time, a
// coroutine that this class owns; requests of several callers for the same service meet in it.
// Nothing here knows namespaces, sockets or files: that is behind Backend. One thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/event.h"
#include "base/turnstile.h"
#include "env/backend.h"
#include "env/fault.h"
#include "env/incident.h"
#include "env/report.h"
#include "env/timeline.h"
#include "plan/plan.h"

namespace isoenv {

class Environment {
 public:
  /// All references outlive the environment; it must be idle (nothing up) when destroyed.
  Environment(boost::asio::any_io_executor executor, const EnvironmentPlan& plan, Backend& backend,
              Clock& clock, Incidents& incidents, Timeline& timeline);

  /// Brings up the services and all they depend on, or finds them up. Services that this call alone
  /// has started are taken down again when any of them fails.
  boost::asio::awaitable<UpReport> up(std::vector<std::size_t> services);

  /// The same, but these of them are paused before their program is executed, and what waits for
  /// them is not waited for. Throws Error when one of them runs already. act() with kResume, or a
  /// debugger, lets them go on.
  boost::asio::awaitable<UpReport> up_paused(std::vector<std::size_t> services,
                                             std::vector<std::size_t> paused);

  /// Starts the services and all they depend on, as far as they were never started, and waits for
  /// nothing: for calls of up() yet to come, which find them as if they had started them. What they
  /// do until then is nobody's failure; one that has failed by then fails that up().
  void start_ahead(const std::vector<std::size_t>& services);
  /// Takes down those that no up() has asked for yet.
  boost::asio::awaitable<void> drop_ahead();

  /// Takes down the services and all that depend on them, dependents first.
  boost::asio::awaitable<DownReport> down(std::vector<std::size_t> services);

  /// Takes everything down.
  boost::asio::awaitable<DownReport> down_all();

  /// Does to the services what the fault says, in environment_faults.cc; their dependents stay as
  /// they are, and no dependency is touched but one that `start` needs and nobody has stopped on
  /// purpose. Returns when it is done: those started are ready, those killed with SIGKILL have
  /// ended. Throws Error when it cannot be done; then nothing was.
  boost::asio::awaitable<FaultReport> act(Fault fault);

  /// Ends what the faults of a session have left and were not to keep: resumes, then starts, in
  /// dependency order, and returns when all is ready. What was taken down since stays down.
  /// `ended`: services that are started too when they are not up.
  boost::asio::awaitable<FaultReport> undo(std::uint64_t session,
                                           std::vector<std::size_t> ended = {});

  /// Returns when it is known of every one of the services that has just ended how it has: its
  /// death may be seen by others first.
  boost::asio::awaitable<void> take_in_ends(std::vector<std::size_t> services);

  ServiceStatus status(std::size_t service) const;
  /// True when no service is starting, up, stopping or stopped on purpose. Completed tasks do not
  /// count.
  bool idle() const noexcept;
  /// True when anything went wrong so far: a service that failed, ended by itself or had to be
  /// killed. What was asked to stop before it was ready has not failed.
  bool had_failures() const noexcept { return had_failures_; }
  /// Why a service is not ready; what() is "" when it is.
  ServiceFailure failure(std::size_t service) const;

 private:
  /// What is wrong with a service on purpose, until it is undone.
  struct Harm {
    enum class Kind { kNone, kPaused, kStopped, kKilled };
    Kind kind = Kind::kNone;
    FaultOrigin origin;
  };
  /// A signal that was sent on purpose to the life under way.
  struct Sent {
    int signal = 0;
    FaultOrigin origin;
  };
  struct Life {
    explicit Life(boost::asio::any_io_executor executor) : changed(std::move(executor)) {}

    Event changed;  // it, or a service that it depends on
    ServiceState state = ServiceState::kDown;
    bool alive = false;  // its coroutine runs
    bool stop_requested = false;
    bool failed_by_stop = false;  // it failed because it was asked to stop, and only so
    bool ahead = false;           // it was started before any call of up() has wanted it
    unsigned claims = 0;          // calls of up() that want it
    unsigned stops = 0;           // calls of take_down() under way that want it gone
    unsigned starts = 0;
    bool pauses = false;         // is to stand still before its program is executed
    bool held = false;           // stands there
    unsigned ends_in_a_row = 0;  // that its restart policy has answered
    Clock::TimePoint ready_at{};
    std::int64_t pid = 0;
    Clock::TimePoint started{};
    std::string readiness;
    ServiceFailure failure;
    Harm harm;
    Sent sent;
    std::uint64_t touched_by = 0;  // the session that has to leave it ready
  };

  void begin_life(std::size_t service, Clock::TimePoint asked);
  bool adopt(std::size_t service);
  boost::asio::awaitable<void> live(std::size_t service);
  boost::asio::awaitable<void> watch(std::size_t service);
  boost::asio::awaitable<bool> dependencies_met(std::size_t service);
  boost::asio::awaitable<void> bring_up(std::size_t service);
  boost::asio::awaitable<ServiceStop> tear_down(std::size_t service,
                                                std::vector<std::string>& problems,
                                                ServiceState to);
  boost::asio::awaitable<bool> stand_still(std::size_t service);
  std::vector<bool> held_up() const;
  boost::asio::awaitable<void> let_go(std::size_t service, std::string by, FaultReport& report);
  /// `to_pause`: not waited for, nor is what waits for them.
  boost::asio::awaitable<UpReport> bring(std::vector<std::size_t> wanted,
                                         std::vector<std::size_t> to_pause = {});
  /// `to`: the state of what has not failed.
  boost::asio::awaitable<DownReport> take_down(std::vector<std::size_t> targets,
                                               ServiceState to = ServiceState::kDown);
  void ended_by_itself(std::size_t service, const ExitStatus& status);
  /// Leaves the service to its restart policy, when that applies.
  void consider_restart(std::size_t service, const ExitStatus& status);
  boost::asio::awaitable<bool> pause_before_restart(std::size_t service);
  void judge_stop(std::size_t service, const ServiceStop& stop);

  void check_possible(const Fault& fault) const;
  void touch(std::size_t service, const FaultOrigin& origin);
  boost::asio::awaitable<void> stop(const Fault& fault, FaultReport& report);
  boost::asio::awaitable<void> start(std::vector<std::size_t> services, FaultReport& report);
  boost::asio::awaitable<void> kill(const Fault& fault, FaultReport& report);
  boost::asio::awaitable<void> pause(const Fault& fault, FaultReport& report);
  boost::asio::awaitable<void> resume(std::size_t service, std::string by, FaultReport& report);
  std::string harm_text(std::size_t service) const;

  void set_state(std::size_t service, ServiceState state);
  /// Wakes who waits for a change of this service, and only them: a thousand services each wake as
  /// few as one does.
  void tell_change(std::size_t service);
  /// `meant`: it is no failure of the instance.
  void fail(std::size_t service, const std::string& what,
            const std::vector<std::string>& diagnosis = {}, bool meant = false);
  /// How the life under way has ended, if a signal that was sent on purpose did it; else "".
  std::string ended_as_meant(std::size_t service, const ExitStatus& status);
  bool satisfies(std::size_t service, Need need) const;
  bool settled(std::size_t service) const;
  std::vector<std::size_t> with_dependents(const std::vector<std::size_t>& services) const;

  boost::asio::any_io_executor executor_;
  const EnvironmentPlan& plan_;
  Backend& backend_;
  Clock& clock_;
  Incidents& incidents_;
  Timeline& timeline_;
  std::vector<Life> lives_;
  std::vector<std::vector<std::size_t>> dependents_;  // directly
  Event changed_;                                     // of any service
  Turnstile starts_;
  bool had_failures_ = false;
};

}  // namespace isoenv
