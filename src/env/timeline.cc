#include "env/timeline.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace isoenv {
namespace {

constexpr std::array<const char*, kMoments - 1> kPhaseNames = {"waits",  "plan", "clone",  "link",
                                                               "mounts", "exec", "output", "ready"};

constexpr std::size_t kMostSpans = 100'000;

bool begins(ServiceState state) {
  return state == ServiceState::kWaiting || state == ServiceState::kStarting;
}

/// Nothing of the service is there.
bool is_over(ServiceState state) {
  return state == ServiceState::kDown || state == ServiceState::kFailed ||
         state == ServiceState::kExited || state == ServiceState::kCompleted ||
         state == ServiceState::kStopped;
}

std::optional<Clock::TimePoint>& at(StartMoments& moments, Moment moment) {
  return moments[static_cast<std::size_t>(moment)];
}

const std::optional<Clock::TimePoint>& at(const StartMoments& moments, Moment moment) {
  return moments[static_cast<std::size_t>(moment)];
}

/// What a start that was not ready was at.
const char* unfinished_phase(const StartMoments& moments) {
  if (at(moments, Moment::kLaunched)) return kPhaseNames.back();
  std::size_t moment = 1;
  while (moments[moment]) ++moment;
  return kPhaseNames[moment - 1];
}

}  // namespace

const std::array<const char*, kMoments - 1>& start_phase_names() noexcept { return kPhaseNames; }

std::vector<StartPhase> start_phases(const StartMoments& moments) {
  std::vector<StartPhase> phases;
  std::optional<Clock::TimePoint> last = moments.front();
  if (!last) return phases;
  const auto& ready = at(moments, Moment::kReady);
  for (std::size_t moment = 1; moment < kMoments; ++moment) {
    const std::optional<Clock::TimePoint>& now = moments[moment];
    const bool is_output = moment == static_cast<std::size_t>(Moment::kOutput);
    if (!now || (is_output && ready && *now > *ready)) continue;
    const Clock::TimePoint end = std::max(*now, *last);
    phases.push_back({kPhaseNames[moment - 1], *last, end});
    last = end;
  }
  return phases;
}

std::string start_figures(const StartMoments& moments) {
  if (!at(moments, Moment::kPlanned)) return "";
  std::string text;
  for (const StartPhase& phase : start_phases(moments)) {
    char number[32];
    std::snprintf(number, sizeof number, "%.1f",
                  std::chrono::duration<double, std::milli>(phase.end - phase.begin).count());
    text += (text.empty() ? "" : ", ") + phase.name + " " + number;
  }
  return text;
}

Timeline::Timeline(const EnvironmentPlan& plan, Clock& clock, bool keeps_history)
    : plan_(plan), clock_(clock), keeps_history_(keeps_history) {}

Timeline::Service& Timeline::of(std::size_t service) {
  if (services_.size() <= service) services_.resize(service + 1);
  return services_[service];
}

const StartMoments& Timeline::start(std::size_t service) { return of(service).start; }

bool Timeline::Service::starts() const { return !resumes && begins(state); }

void Timeline::state(std::size_t service, ServiceState state) {
  Service& known = of(service);
  const Clock::TimePoint now = clock_.now();
  if (known.starts() && begins(state)) {
    known.state = state;
    if (state == ServiceState::kStarting) at(known.start, Moment::kBegan) = now;
    return;
  }
  const bool got_ready = state == ServiceState::kReady || state == ServiceState::kCompleted;
  if (known.starts() && got_ready) at(known.start, Moment::kReady) = now;
  if (keeps_history_ && known.starts()) {
    for (TraceSpan& span : start_spans(service, now)) keep(std::move(span));
  } else if (keeps_history_) {
    if (std::optional<TraceSpan> span = state_span(service, now)) keep(std::move(*span));
  }
  known.resumes = known.state == ServiceState::kPaused && state == ServiceState::kStarting;
  known.state = state;
  known.since = now;
  if (!known.starts()) return;
  known.start = {};
  at(known.start, Moment::kAsked) = now;
  if (state == ServiceState::kStarting) at(known.start, Moment::kBegan) = now;
}

void Timeline::asked(std::size_t service, Clock::TimePoint time) {
  at(of(service).start, Moment::kAsked) = time;
}

void Timeline::mark(std::size_t service, Moment moment) {
  auto& known = at(of(service).start, moment);
  if (!known) known = clock_.now();
}

void Timeline::event(const std::string& text) {
  if (!keeps_history_) return;
  const std::size_t colon = text.find(": ");
  const std::size_t service =
      colon == std::string::npos ? plan_.services.size() : plan_.find(text.substr(0, colon));
  const bool known = service < plan_.services.size();
  TraceSpan span;
  span.group = known ? "services" : "isoenv";
  span.track = known ? plan_.services[service].name : "keeper";
  span.name = known ? text.substr(colon + 2) : text;
  span.begin = clock_.now();
  keep(std::move(span));
}

void Timeline::test_begins(std::uint64_t session, const std::string& name) {
  if (!keeps_history_) return;
  const auto taken = [&](std::size_t lane) {
    return std::any_of(tests_.begin(), tests_.end(),
                       [&](const auto& test) { return test.second.lane == lane; });
  };
  Test test;
  while (taken(test.lane)) ++test.lane;
  test.name = name.empty() ? "a test" : name;
  test.begin = clock_.now();
  tests_.emplace(session, std::move(test));
}

void Timeline::test_ends(std::uint64_t session) {
  const auto test = tests_.find(session);
  if (test == tests_.end()) return;
  keep(test_span(test->second, clock_.now()));
  tests_.erase(test);
}

std::vector<TraceSpan> Timeline::spans() {
  const Clock::TimePoint now = clock_.now();
  std::vector<TraceSpan> spans = own_;
  spans.insert(spans.end(), history_.begin(), history_.end());
  for (std::size_t service = 0; service < services_.size(); ++service) {
    const bool starting = services_[service].starts();
    if (starting || !keeps_history_) {
      const auto& ready = at(services_[service].start, Moment::kReady);
      const Clock::TimePoint end = ready ? *ready : starting ? now : services_[service].since;
      for (TraceSpan& span : start_spans(service, end)) spans.push_back(std::move(span));
    }
    if (starting) continue;
    if (std::optional<TraceSpan> span = state_span(service, now)) spans.push_back(std::move(*span));
  }
  for (const auto& [session, test] : tests_) spans.push_back(test_span(test, now));
  return spans;
}

/// The start as a whole, then its phases, and last what it did not come through.
std::vector<TraceSpan> Timeline::start_spans(std::size_t service, Clock::TimePoint end) {
  const StartMoments& moments = of(service).start;
  std::vector<TraceSpan> spans;
  const auto& asked = at(moments, Moment::kAsked);
  if (!asked) return spans;
  const std::string& track = plan_.services[service].name;
  const std::vector<StartPhase> phases = start_phases(moments);
  spans.push_back({"services", track, "start", *asked, end});
  for (const StartPhase& phase : phases) {
    spans.push_back({"services", track, phase.name, phase.begin, phase.end});
  }
  if (at(moments, Moment::kReady)) return spans;
  const Clock::TimePoint last = phases.empty() ? *asked : phases.back().end;
  spans.push_back({"services", track, unfinished_phase(moments), last, end});
  return spans;
}

std::optional<TraceSpan> Timeline::state_span(std::size_t service, Clock::TimePoint end) {
  const Service& known = of(service);
  if (is_over(known.state)) return std::nullopt;
  return TraceSpan{"services", plan_.services[service].name, state_name(known.state), known.since,
                   end};
}

TraceSpan Timeline::test_span(const Test& test, Clock::TimePoint end) const {
  return {"tests", "tests " + std::to_string(test.lane + 1), test.name, test.begin, end};
}

void Timeline::keep(TraceSpan span) {
  if (history_.size() > kMostSpans) return;
  if (history_.size() == kMostSpans) {
    span = {"isoenv", "keeper", "the history is full", span.begin, std::nullopt};
  }
  history_.push_back(std::move(span));
}

}  // namespace isoenv
