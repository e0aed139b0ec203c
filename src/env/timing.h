// Where the time of a bring-up went, for people and programs: the break-down of every service's
// start, the longest chain of dependencies, and what the command itself did.
//
// The keeper makes the first part from its timeline, the command adds its own: all moments are of
// one clock. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "env/timeline.h"
#include "plan/plan.h"

namespace isoenv {

struct ServiceTiming {
  std::string service;
  bool earlier = false;  ///< it was up, or on its way, before anybody asked this time
  StartMoments moments;
};

/// What one service added to the time until the last of its chain was ready.
struct ChainLink {
  std::string service;
  std::chrono::nanoseconds duration{};
};

struct Timing {
  std::vector<ServiceTiming> services;  ///< in the order of the plan
  std::vector<ChainLink> chain;         ///< the longest, from its first to its last
  std::vector<TraceSpan> spans;         ///< for a trace
};

/// Of these services, which somebody asked for at `asked`.
Timing make_timing(const EnvironmentPlan& plan, const std::vector<std::size_t>& services,
                   Clock::TimePoint asked, Timeline& timeline);

/// Between processes.
std::string to_json(const Timing& timing);
/// Throws Error when the text is something else.
Timing timing_from_json(const std::string& text);

/// What the command did, one after the other: `spec`, `keeper`, `services`.
using CommandPhases = std::vector<StartPhase>;

/// The table of `--timing`.
std::string timing_text(const Timing& timing, const CommandPhases& command);
/// The same for programs: an object.
std::string timing_report_json(const Timing& timing, const CommandPhases& command);

}  // namespace isoenv
