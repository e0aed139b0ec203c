// The product's story: services come up in dependency order, and go down in the reverse.
//
// bring_up and tear_down each read as one list of steps. Each service has one life at a time, a
// coroutine that this class owns; requests of several callers for the same service meet in it.
// Nothing here knows namespaces, sockets or files: that is behind Backend. One thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <vector>

#include "base/clock.h"
#include "base/event.h"
#include "env/backend.h"
#include "env/report.h"
#include "plan/plan.h"

namespace isoenv {

class Environment {
 public:
  /// All references outlive the environment; it must be idle (nothing up) when destroyed.
  Environment(boost::asio::any_io_executor executor, const EnvironmentPlan& plan, Backend& backend,
              Clock& clock);

  /// Brings up the services and all they depend on, or finds them up. Services that this call alone
  /// has started are taken down again when any of them fails.
  boost::asio::awaitable<UpReport> up(std::vector<std::size_t> services);

  /// Takes down the services and all that depend on them, dependents first.
  boost::asio::awaitable<DownReport> down(std::vector<std::size_t> services);

  /// Takes everything down.
  boost::asio::awaitable<DownReport> down_all();

  ServiceStatus status(std::size_t service) const;
  /// True when no service is starting, up or stopping. Completed tasks do not count.
  bool idle() const noexcept;
  /// True when anything went wrong so far: a service that failed, ended by itself or had to be
  /// killed. What was asked to stop before it was ready has not failed.
  bool had_failures() const noexcept { return had_failures_; }
  /// Why a service is not ready; what() is "" when it is.
  ServiceFailure failure(std::size_t service) const;

 private:
  struct Life {
    ServiceState state = ServiceState::kDown;
    bool alive = false;  // its coroutine runs
    bool stop_requested = false;
    bool failed_by_stop = false;  // it failed because it was asked to stop, and only so
    unsigned claims = 0;  // calls of up() that want it
    unsigned stops = 0;   // calls of take_down() under way that want it gone
    unsigned starts = 0;
    std::int64_t pid = 0;
    Clock::TimePoint started{};
    std::string readiness;
    ServiceFailure failure;
  };

  boost::asio::awaitable<void> live(std::size_t service);
  boost::asio::awaitable<bool> dependencies_met(std::size_t service);
  boost::asio::awaitable<void> bring_up(std::size_t service);
  boost::asio::awaitable<ServiceStop> tear_down(std::size_t service,
                                                std::vector<std::string>& problems);
  boost::asio::awaitable<DownReport> take_down(std::vector<std::size_t> targets);

  void set_state(std::size_t service, ServiceState state);
  void fail(std::size_t service, std::string what, std::vector<std::string> diagnosis = {});
  bool satisfies(std::size_t service, Need need) const;
  bool settled(std::size_t service) const;
  std::vector<std::size_t> with_dependents(const std::vector<std::size_t>& services) const;

  boost::asio::any_io_executor executor_;
  const EnvironmentPlan& plan_;
  Backend& backend_;
  Clock& clock_;
  std::vector<Life> lives_;
  Event changed_;
  bool had_failures_ = false;
};

}  // namespace isoenv
