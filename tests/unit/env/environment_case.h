// An environment on a fake backend and a clock that stands still: what its tests start from.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "env/environment.h"
#include "support/fake_backend.h"
#include "support/fake_clock.h"

namespace isoenv::test {

using Step = FakeBackend::Step;

struct Needed {
  const char* service;
  Need need = Need::kReady;
};

/// A call that may still be under way. Empty until it has returned.
template <typename Report>
using Call = std::shared_ptr<std::optional<Report>>;

template <typename Report>
Call<Report> spawn(boost::asio::any_io_executor executor,
                   boost::asio::awaitable<Report> coroutine) {
  auto call = std::make_shared<std::optional<Report>>();
  boost::asio::co_spawn(executor, std::move(coroutine),
                        [call](std::exception_ptr error, Report report) {
                          if (error) std::rethrow_exception(error);
                          *call = std::move(report);
                        });
  return call;
}

/// `db: not ready within 30 s`, one a failure.
std::vector<std::string> texts(const UpReport& report);
/// `db: paused`, one an effect.
std::vector<std::string> effects(const FaultReport& report);
/// The names, in the order of stopping.
std::vector<std::string> names(const DownReport& report);

/// At the end of each test everything is released and taken down; then nothing may run, and the
/// backend must have been used as its contract says.
class EnvironmentCase : public ::testing::Test {
 protected:
  EnvironmentCase() { plan_.name = "shop"; }
  void TearDown() override;

  /// The plan, in start order; it stands once the environment is first used.
  void add_service(const std::string& name, std::initializer_list<Needed> depends = {});
  void add_task(const std::string& name, std::initializer_list<Needed> depends = {});
  ServicePlan& plan_of(const std::string& name) { return plan_.services.at(index(name)); }

  FakeBackend& backend();
  Environment& environment();
  FakeClock& clock() { return clock_; }
  Incidents& incidents() { return incidents_; }
  Timeline& timeline() { return timeline_; }
  const EnvironmentPlan& plan() const { return plan_; }
  boost::asio::any_io_executor executor() { return context_.get_executor(); }

  /// Asks, and does nothing yet; settle() runs everything that can go on.
  Call<UpReport> ask_up(const std::vector<std::string>& services);
  Call<DownReport> ask_down(const std::vector<std::string>& services);
  Call<DownReport> ask_down_all();
  Call<FaultReport> ask_act(FaultKind kind, const std::vector<std::string>& services,
                            std::uint64_t session = 0, int signal = SIGKILL, bool keep = false);
  Call<FaultReport> ask_undo(std::uint64_t session);
  void settle() { FakeClock::settle(context_); }
  /// Runs the one thing that comes next. False when nothing can go on.
  bool take_one_step();

  /// Asks and settles.
  Call<UpReport> begin_up(const std::vector<std::string>& services);
  Call<DownReport> begin_down(const std::vector<std::string>& services);
  /// The same for a call that returns by then.
  UpReport up(const std::vector<std::string>& services);
  DownReport down(const std::vector<std::string>& services);
  FaultReport act(FaultKind kind, const std::vector<std::string>& services,
                  std::uint64_t session = 0, int signal = SIGKILL, bool keep = false);
  FaultReport undo(std::uint64_t session);

  ServiceStatus status(const std::string& service);
  ServiceState state(const std::string& service) { return status(service).state; }
  std::string failure(const std::string& service);

 private:
  std::size_t index(const std::string& service) const { return plan_.find(service); }
  std::vector<std::size_t> indices(const std::vector<std::string>& services) const;
  void add(bool is_task, const std::string& name, std::initializer_list<Needed> depends);

  boost::asio::io_context context_;
  FakeClock clock_;
  EnvironmentPlan plan_;
  std::optional<FakeBackend> backend_;
  Incidents incidents_{plan_};
  Timeline timeline_{plan_, clock_, /*keeps_history=*/true};
  std::optional<Environment> environment_;
};

}  // namespace isoenv::test
