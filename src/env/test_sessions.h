// The tests that run in an instance: what belongs to each, from its beginning to its end.
//
// A session begins when a test's command does and ends when that has ended, or when whoever held it
// has gone. It owns the faults that come by themselves, and undoes at its end what faults of its
// own have left. Knows no sockets: who holds a session is for the caller to say. One thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/event.h"
#include "env/backend.h"
#include "env/environment.h"
#include "env/fault.h"
#include "env/incident.h"
#include "env/tolerance.h"
#include "plan/plan.h"

namespace isoenv {

/// What a session is told when it begins.
struct TestSession {
  std::string name;                    ///< of the test, for messages
  std::vector<std::size_t> services;   ///< that the test uses; none: all
  std::vector<ScheduledFault> faults;  ///< their services are of the plan: check_faults()
  std::uint64_t within = 0;  ///< a session around, whose services it uses when it names none
  Tolerance tolerance{};     ///< that of the session around counts too
};

/// What came of a session besides what its test says itself.
struct SessionReport {
  std::string test;
  std::vector<ServiceFailure> failures;  ///< services that could not be brought back
  std::vector<std::string> failed;       ///< faults that could not be made, and why
  std::vector<std::string> warnings;     ///< faults whose time never came
  std::vector<Incident> incidents{};     ///< what the test's services did that fails it
};

std::string to_json(const SessionReport& report);
SessionReport session_report_from_json(const std::string& text);

/// Throws Error (kUsage) that tells every fault of the list that names no service of the plan.
void check_faults(const std::vector<ScheduledFault>& faults, const EnvironmentPlan& plan);

class TestSessions {
 public:
  /// All references outlive the sessions; those under way are ended before.
  TestSessions(boost::asio::any_io_executor executor, const EnvironmentPlan& plan,
               Environment& environment, Backend& backend, Clock& clock, Incidents& incidents);
  ~TestSessions();

  /// Returns its number, never 0. Its faults count their delays from here. Throws Error when too
  /// many are under way.
  std::uint64_t begin(TestSession test);

  enum class Left { kUndo, kKeep };
  /// Ends a session: no fault of it comes any more, and what its faults have left is undone, so
  /// that when this returns every service of them is ready again, or has failed; the same for
  /// services that have ended as it means. `kKeep`: the
  /// instance ends too, and nothing is undone. Throws Error when there is no such session.
  boost::asio::awaitable<SessionReport> end(std::uint64_t number, Left left = Left::kUndo);

  /// What end() would tell if the session ended now, and nothing were to be undone.
  SessionReport report_so_far(std::uint64_t number);

  /// No fault of any session comes any more: the instance ends.
  void silence_all() noexcept;

  /// Whose fault it is that a command inside the session asks for: `test 'order.survives'`. Throws
  /// Error when the session has ended.
  std::string author(std::uint64_t number) const;

 private:
  struct Session;
  boost::asio::awaitable<void> play(std::shared_ptr<Session> session, ScheduledFault scheduled);
  std::vector<std::size_t> services_of(const TestSession& test) const;
  void take_incidents(Session& session);
  std::vector<std::size_t> ended_as_meant(const Session& session);
  boost::asio::awaitable<void> make(std::shared_ptr<Session> session, ScheduledFault scheduled,
                                    FaultKind kind);

  boost::asio::any_io_executor executor_;
  const EnvironmentPlan& plan_;
  Environment& environment_;
  Backend& backend_;
  Clock& clock_;
  Incidents& incidents_;
  Event changed_;
  std::map<std::uint64_t, std::shared_ptr<Session>> sessions_;
  std::uint64_t last_ = 0;
};

}  // namespace isoenv
