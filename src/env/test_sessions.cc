#include "env/test_sessions.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "base/pause.h"
#include "base/text.h"
#include "spec/diagnostic.h"

namespace isoenv {
namespace {

namespace asio = boost::asio;
using Json = nlohmann::ordered_json;

/// More tests than that do not run in one instance at once.
constexpr std::size_t kMostSessions = 192;

}  // namespace

struct TestSessions::Session {
  std::uint64_t number = 0;
  TestSession test;
  SessionReport report;
  std::size_t playing = 0;  // faults that are still to come, last or are under way
  bool ending = false;
  std::uint64_t first_incident = 0;
};

std::string to_json(const SessionReport& report) {
  const Json json = {{"test", report.test},
                     {"failures", Json::parse(to_json(report.failures))},
                     {"failed", report.failed},
                     {"warnings", report.warnings},
                     {"incidents", Json::parse(to_json(report.incidents))}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

SessionReport session_report_from_json(const std::string& text) {
  const Json json = Json::parse(text);
  SessionReport report;
  report.test = json.at("test");
  report.failures = failures_from_json(json.at("failures").dump());
  report.failed = json.at("failed").get<std::vector<std::string>>();
  report.warnings = json.at("warnings").get<std::vector<std::string>>();
  report.incidents = incidents_from_json(json.at("incidents").dump());
  return report;
}

void check_faults(const std::vector<ScheduledFault>& faults, const EnvironmentPlan& plan) {
  std::vector<std::string> known;
  for (const ServicePlan& service : plan.services) {
    if (!service.is_task) known.push_back(service.name);
  }
  std::vector<std::string> wrong;
  for (const ScheduledFault& fault : faults) {
    if (std::find(known.begin(), known.end(), fault.service) != known.end()) continue;
    const std::string nearest = nearest_word(fault.service, known);
    wrong.push_back("the fault " + in_quotes(fault.text) + ": there is no service " +
                    in_quotes(fault.service) +
                    (nearest.empty() ? "" : "; did you mean '" + nearest + "'?"));
  }
  if (!wrong.empty()) throw Error(join(wrong, "\n"), ExitCode::kUsage);
}

TestSessions::TestSessions(asio::any_io_executor executor, const EnvironmentPlan& plan,
                           Environment& environment, Backend& backend, Clock& clock,
                           Incidents& incidents)
    : executor_(executor),
      plan_(plan),
      environment_(environment),
      backend_(backend),
      clock_(clock),
      incidents_(incidents),
      changed_(executor) {}

TestSessions::~TestSessions() = default;

std::uint64_t TestSessions::begin(TestSession test) {
  check_faults(test.faults, plan_);
  check_tolerance(test.tolerance, plan_, test.services);
  if (sessions_.size() >= kMostSessions) {
    throw Error("the instance has " + std::to_string(sessions_.size()) +
                " tests under way and takes no more at once");
  }
  const auto session = std::make_shared<Session>();
  session->number = ++last_;
  session->report.test = test.name;
  session->first_incident = incidents_.next();
  const auto around = sessions_.find(test.within);
  if (around != sessions_.end()) {
    if (test.services.empty()) test.services = around->second->test.services;
    test.tolerance.add(around->second->test.tolerance);
  }
  session->test = std::move(test);
  sessions_.emplace(session->number, session);
  backend_.event(author(session->number) + " begins");
  session->playing = session->test.faults.size();
  for (const ScheduledFault& fault : session->test.faults) {
    asio::co_spawn(executor_, play(session, fault), asio::detached);
  }
  return session->number;
}

/// One fault that comes by itself.
asio::awaitable<void> TestSessions::play(std::shared_ptr<Session> session,
                                         ScheduledFault scheduled) {
  const auto ending = [session] { return session->ending; };
  const bool its_time_came = co_await pause_unless(clock_, changed_, scheduled.delay, ending);
  if (!its_time_came) {
    session->report.warnings.push_back("the fault " + in_quotes(scheduled.text) +
                                       " never came: the test ended before");
  } else {
    co_await make(session, scheduled, scheduled.kind);
    if (scheduled.duration &&
        co_await pause_unless(clock_, changed_, *scheduled.duration, ending)) {
      const bool pauses = scheduled.kind == FaultKind::kPause;
      co_await make(session, scheduled, pauses ? FaultKind::kResume : FaultKind::kStart);
    }
  }
  --session->playing;
  changed_.notify_all();
}

asio::awaitable<void> TestSessions::make(std::shared_ptr<Session> session, ScheduledFault scheduled,
                                         FaultKind kind) {
  Fault fault;
  fault.kind = kind;
  fault.services = {plan_.find(scheduled.service)};
  fault.signal = scheduled.signal;
  fault.origin.session = session->number;
  fault.origin.by = author(session->number) + ", " + scheduled.text;
  std::string why;
  try {
    const FaultReport report = co_await environment_.act(std::move(fault));
    for (const ServiceFailure& failure : report.failures) {
      why += (why.empty() ? "" : "; ") + failure.what;
    }
  } catch (const Error& error) {
    why = error.what();
  }
  if (why.empty()) co_return;
  session->report.failed.push_back("the fault " + in_quotes(scheduled.text) + " failed: " + why);
  backend_.event(author(session->number) + ": " + session->report.failed.back());
}

asio::awaitable<SessionReport> TestSessions::end(std::uint64_t number, Left left) {
  const auto found = sessions_.find(number);
  if (found == sessions_.end() || found->second->ending) {
    throw Error("there is no test under way with the number " + std::to_string(number));
  }
  const std::shared_ptr<Session> session = found->second;
  session->ending = true;
  changed_.notify_all();
  while (session->playing > 0) co_await changed_.wait();
  co_await environment_.take_in_ends(services_of(session->test));
  if (left == Left::kUndo) {
    FaultReport undone = co_await environment_.undo(number, ended_as_meant(*session));
    session->report.failures = std::move(undone.failures);
    for (const std::string& problem : undone.problems) session->report.warnings.push_back(problem);
  }
  take_incidents(*session);
  backend_.event(author(number) + " ends");
  sessions_.erase(number);
  co_return std::move(session->report);
}

/// With what the services were still writing.
void TestSessions::take_incidents(Session& session) {
  backend_.catch_up();
  session.report.incidents = incidents_.take(services_of(session.test), session.first_incident);
  std::erase_if(session.report.incidents, [&session](const Incident& incident) {
    return session.test.tolerance.covers(incident);
  });
}

SessionReport TestSessions::report_so_far(std::uint64_t number) {
  const auto found = sessions_.find(number);
  if (found == sessions_.end()) return {};
  take_incidents(*found->second);
  return found->second->report;
}

void TestSessions::silence_all() noexcept {
  for (const auto& [number, session] : sessions_) session->ending = true;
  changed_.notify_all();
}

/// What the test uses, and what that depends on.
std::vector<std::size_t> TestSessions::services_of(const TestSession& test) const {
  if (!test.services.empty()) return plan_.closure(test.services);
  std::vector<std::size_t> all(plan_.services.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

/// The next test is not to find them down.
std::vector<std::size_t> TestSessions::ended_as_meant(const Session& session) {
  const Tolerance& tolerance = session.test.tolerance;
  std::vector<std::size_t> ended;
  if (tolerance.empty()) return ended;
  for (const Incident& incident :
       incidents_.take(services_of(session.test), session.first_incident)) {
    if (incident.exit && tolerance.covers(incident)) ended.push_back(plan_.find(incident.service));
  }
  return ended;
}

std::string TestSessions::author(std::uint64_t number) const {
  const auto found = sessions_.find(number);
  if (found == sessions_.end()) {
    throw Error("the test has ended: there is none under way with the number " +
                std::to_string(number));
  }
  return "test " + in_quotes(found->second->test.name);
}

}  // namespace isoenv
