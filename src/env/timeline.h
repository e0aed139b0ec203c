// When what happened in an instance: the last start of each service step by step, and, if asked
// for, the history of all.
//
// The environment tells every change of state, the backend the steps of a start. Taking a moment is
// reading CLOCK_MONOTONIC (std::chrono::steady_clock), which all processes of the machine share.
// The history is bounded: what comes when it is full is left out, and it says so. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "env/report.h"
#include "plan/plan.h"

namespace isoenv {

/// The steps of a start, in their order; its output may come at any time after the launch.
enum class Moment {
  kAsked,     ///< somebody wants it
  kBegan,     ///< what it depends on is there
  kPlanned,   ///< programs found, pipes and files made
  kCloned,    ///< its init is there, in new namespaces
  kLinked,    ///< its network carries
  kPrepared,  ///< init has set up mounts and all else
  kLaunched,  ///< the program is executed
  kOutput,    ///< its first output has come
  kReady
};
inline constexpr std::size_t kMoments = 9;

/// Those that were not come to are empty.
using StartMoments = std::array<std::optional<Clock::TimePoint>, kMoments>;

/// From one moment of a start to the next: `waits`, `plan`, `clone`, `link`, `mounts`, `exec`,
/// `output`, `ready`.
struct StartPhase {
  std::string name;
  Clock::TimePoint begin;
  Clock::TimePoint end;
};

/// The names of all phases, in their order.
const std::array<const char*, kMoments - 1>& start_phase_names() noexcept;

/// The phases that the start came through, without gaps. Output that came after it was ready is
/// none.
std::vector<StartPhase> start_phases(const StartMoments& moments);

/// `waits 0.1, plan 0.3, …` in ms; "" when only asked and ready are known.
std::string start_figures(const StartMoments& moments);

/// One row of a trace: something that lasts, or an instant.
struct TraceSpan {
  std::string group;  ///< `isoenv`, `services`, `tests`
  std::string track;  ///< `keeper`, a service, `tests 1`
  std::string name;
  Clock::TimePoint begin;
  std::optional<Clock::TimePoint> end;  ///< empty: an instant
};

class Timeline {
 public:
  /// The references outlive it.
  Timeline(const EnvironmentPlan& plan, Clock& clock, bool keeps_history);

  void state(std::size_t service, ServiceState state);
  /// The start under way was asked for at that time, not when its turn came.
  void asked(std::size_t service, Clock::TimePoint time);
  /// The first time in a start counts.
  void mark(std::size_t service, Moment moment);
  /// A line of IsoEnv's in the log, `user: paused by …`: history.
  void event(const std::string& text);
  void test_begins(std::uint64_t session, const std::string& name);
  void test_ends(std::uint64_t session);
  /// Kept in any case.
  void add(TraceSpan span) { own_.push_back(std::move(span)); }

  /// The last start of the service.
  const StartMoments& start(std::size_t service);
  /// All there is: without a history, each service's last start and present state. What has not
  /// ended goes up to now.
  std::vector<TraceSpan> spans();

 private:
  struct Service {
    StartMoments start;
    ServiceState state = ServiceState::kDown;
    bool resumes = false;  // it is starting only until its probes pass once more
    Clock::TimePoint since{};

    bool starts() const;
  };
  struct Test {
    std::size_t lane = 0;
    std::string name;
    Clock::TimePoint begin;
  };

  Service& of(std::size_t service);
  std::vector<TraceSpan> start_spans(std::size_t service, Clock::TimePoint end);
  std::optional<TraceSpan> state_span(std::size_t service, Clock::TimePoint end);
  TraceSpan test_span(const Test& test, Clock::TimePoint end) const;
  void keep(TraceSpan span);

  const EnvironmentPlan& plan_;
  Clock& clock_;
  bool keeps_history_;
  std::vector<Service> services_;
  std::map<std::uint64_t, Test> tests_;
  std::vector<TraceSpan> own_;
  std::vector<TraceSpan> history_;
};

}  // namespace isoenv
