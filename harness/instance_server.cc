#include "harness/instance_server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <exception>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/event.h"
#include "base/exit_status.h"
#include "base/printable.h"
#include "env/environment.h"
#include "env/test_sessions.h"
#include "env/timing.h"
#include "harness/command.h"
#include "harness/control.h"
#include "harness/control_server.h"
#include "harness/description.h"
#include "harness/first_up.h"
#include "harness/isolation_choice.h"
#include "harness/service_entry.h"
#include "harness/test_witnesses.h"

namespace isoenv {
namespace {

namespace asio = boost::asio;

/// With its owner gone nobody waits for the instance: services get this long in all to stop
/// politely, whatever their stop timeouts say, and are then killed with the keeper.
constexpr std::chrono::milliseconds kGraceWithoutOwner{1000};

/// A client that does not read its answer does not keep an ending instance alive.
constexpr std::chrono::seconds kLastAnswers{1};

}  // namespace

struct InstanceServer::State {
  State(const EnvironmentPlan& plan_, LinuxBackendOptions options, const MakeSite& make_site,
        const RunDirectory& directory_, UniqueFd owner_, Isolated isolated_, bool keeps_history)
      : plan(plan_),
        directory(directory_),
        isolated(std::move(isolated_)),
        artefacts(options.artefact_directory),
        site(make_site(context.get_executor())),
        incidents(plan_),
        timeline(plan_, clock, keeps_history),
        backend(context.get_executor(), plan_, clock, std::move(options), *site, incidents,
                timeline),
        environment(context.get_executor(), plan_, backend, clock, incidents, timeline),
        sessions(context.get_executor(), plan_, environment, backend, clock, incidents),
        witnesses(directory_.id()),
        control(
            context.get_executor(), directory_.control_socket().string(),
            [this](Request request) { return answer(std::move(request)); }, {},
            [this](std::uint64_t client) { client_gone(client); }),
        owner(context),
        signals(context, SIGTERM, SIGINT, SIGHUP) {
    if (owner_) owner.assign(owner_.release());
  }

  asio::io_context context{1};
  SteadyClock clock;
  const EnvironmentPlan& plan;
  const RunDirectory& directory;
  Isolated isolated;
  std::filesystem::path artefacts;
  std::unique_ptr<Site> site;
  Incidents incidents;
  Timeline timeline;
  LinuxBackend backend;
  Environment environment;
  TestSessions sessions;
  std::multimap<std::uint64_t, std::uint64_t> held;  // sessions by the client that holds them
  TestWitnesses witnesses;
  std::vector<Bundle> untold;  // that nobody has been told of
  /// The session of the test that the instance ends with, when it has ended.
  std::uint64_t own_test = 0;
  ControlServer control;
  asio::posix::stream_descriptor owner;
  asio::signal_set signals;
  bool ending = false;
  bool test_failed = false;
  bool cut_short = false;          // some services were left to be killed with the keeper
  unsigned upping = 0;             // `up` requests under way, `first` among them
  std::shared_ptr<FirstUp> first;  // until somebody asks for its answer
  Event upped{context.get_executor()};

  asio::awaitable<Answer> answer(Request request);
  asio::awaitable<UpReport> bring(Request request);
  asio::awaitable<void> drop_first();
  asio::awaitable<Answer> answer_up(Request request, std::vector<std::size_t> services);
  asio::awaitable<Answer> answer_down(Request request, std::vector<std::size_t> services);
  asio::awaitable<Answer> answer_fault(Request request, std::vector<std::size_t> services);
  Answer answer_begin(const Request& request, const std::vector<std::size_t>& services);
  asio::awaitable<Answer> answer_end(FaultOrigin origin, bool failed);
  void client_gone(std::uint64_t client);
  asio::awaitable<void> end_session(std::uint64_t session);
  std::vector<ServiceStatus> statuses() const;
  Answer answer_join(const std::vector<std::size_t>& services) const;
  std::string services_text() const;
  TestWitness witness_of(std::uint64_t session) const;
  void keep_bundle(std::uint64_t session, const std::string& what, std::vector<std::string> reasons,
                   const std::string& services);
  void tell_of_lost(std::uint64_t session);
  Answer answer_enter(const std::vector<std::size_t>& services) const;
  asio::awaitable<void> watch_owner();
  asio::awaitable<void> watch_signals();
  asio::awaitable<void> end(std::string reason);
  void end_when_idle(const std::string& reason);
  void spawn(asio::awaitable<void> task);
  /// Those who come from here on see the end of the keeper, and ask its successor.
  void begin_to_end() {
    ending = true;
    sessions.silence_all();
    control.close();
  }
};

InstanceServer::InstanceServer(const EnvironmentPlan& plan, LinuxBackendOptions options,
                               const MakeSite& make_site, const RunDirectory& directory,
                               UniqueFd owner, Isolated isolated, bool keeps_history)
    : state_(std::make_unique<State>(plan, std::move(options), make_site, directory,
                                     std::move(owner), std::move(isolated), keeps_history)) {}

InstanceServer::~InstanceServer() = default;

void InstanceServer::begin(Request request) {
  State& state = *state_;
  const std::string& refusal = state.isolated.refusal;
  if (!refusal.empty()) state.backend.event(degraded_text(refusal));
  const auto first = std::make_shared<FirstUp>(state.context.get_executor(), std::move(request),
                                               state.clock.now());
  state.first = first;
  ++state.upping;
  asio::co_spawn(state.context, first->carry_out(state.bring(first->request())), asio::detached);
  state.context.poll();  // sandboxes are cloned while the network is built
  state.context.restart();
  try {
    state.site->open();
  } catch (const Error&) {
    while (!first->done()) state.context.run_one();
    throw;
  }
}

void InstanceServer::record(std::vector<TraceSpan> spans) {
  for (TraceSpan& span : spans) state_->timeline.add(std::move(span));
}

std::vector<TraceSpan> InstanceServer::trace() const { return state_->timeline.spans(); }

bool InstanceServer::run() {
  state_->control.open();
  state_->spawn(state_->watch_signals());
  if (state_->owner.is_open()) state_->spawn(state_->watch_owner());
  state_->context.run();
  return !state_->cut_short && !state_->environment.had_failures() && !state_->test_failed &&
         state_->incidents.next() == 1;
}

/// A watch or an end that fails must not leave an instance that nobody ends: all is killed with the
/// keeper.
void InstanceServer::State::spawn(asio::awaitable<void> task) {
  asio::co_spawn(context, std::move(task), [this](std::exception_ptr failure) {
    if (!failure) return;
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& exception) {
      std::cerr << "isoenv: the instance is cut short: " << told(exception).what() << std::endl;
    }
    cut_short = true;
    context.stop();
  });
}

asio::awaitable<Answer> InstanceServer::State::answer(Request request) {
  Answer plain;
  plain.ending = ending;
  if (ending) co_return plain;
  const std::vector<std::size_t> services = find_services(plan, request.services);
  switch (request.kind) {
    case Request::Kind::kUp:
      co_return co_await answer_up(std::move(request), services);
    case Request::Kind::kDown:
      co_return co_await answer_down(std::move(request), services);
    case Request::Kind::kFault:
      co_return co_await answer_fault(request, services);
    case Request::Kind::kBegin:
      co_return answer_begin(request, services);
    case Request::Kind::kEnd:
      co_return co_await answer_end(request.origin, request.failed);
    case Request::Kind::kPs:
      plain.report = to_json(statuses());
      co_return plain;
    case Request::Kind::kJoin:
      co_return answer_join(services);
    case Request::Kind::kDescribe:
      plain.report = describe_instance(plan, directory, artefacts, isolated.rung);
      co_return plain;
    case Request::Kind::kWitness:
      plain.witness = encode(witness_of(request.origin.session));
      co_return plain;
    case Request::Kind::kMark:
      backend.event(printable(request.text, Colours::kDrop));
      co_return plain;
    case Request::Kind::kEnter:
      co_return answer_enter(services);
  }
  co_return plain;
}

asio::awaitable<UpReport> InstanceServer::State::bring(Request request) {
  const std::vector<std::size_t> services = find_services(plan, request.services);
  const std::vector<std::size_t> pause_before = find_services(plan, request.pause_before);
  const std::vector<std::size_t> ahead = find_services(plan, request.ahead);
  // After those that this one waits for.
  if (request.first && !ahead.empty())
    asio::post(context, [this, ahead] { environment.start_ahead(ahead); });
  co_return co_await environment.up_paused(services, pause_before);
}

/// Whoever started the keeper was killed before it asked for the answer, or will ask anew: nobody
/// needs it, but what it says counts.
asio::awaitable<void> InstanceServer::State::drop_first() {
  if (!first) co_return;
  try {
    (void)co_await answer(first->request());
  } catch (const Error&) {
    // Told to nobody.
  }
}

asio::awaitable<Answer> InstanceServer::State::answer_up(Request request,
                                                         std::vector<std::size_t> services) {
  const std::shared_ptr<FirstUp> begun = request.first ? std::exchange(first, nullptr) : nullptr;
  const Clock::TimePoint asked = begun ? begun->asked() : clock.now();
  if (!begun) ++upping;
  UpReport report;
  std::exception_ptr refusal;
  try {
    asio::awaitable<UpReport> brought = begun ? begun->result() : bring(request);
    report = co_await std::move(brought);
  } catch (const Error&) {
    refusal = std::current_exception();
  }
  if (refusal) {
    --upping;
    upped.notify_all();
    std::rethrow_exception(refusal);
  }
  report.rung = isolated.rung;
  report.refusal = isolated.refusal;
  --upping;
  upped.notify_all();
  Answer answer;
  answer.report = to_json(report);
  if (request.timing) {
    answer.timing = to_json(make_timing(plan, plan.closure(services), asked, timeline));
  }
  answer.refused = has_namespaces(isolated.rung) && !report.failures.empty() &&
                   backend.was_refused(plan.closure(services));
  if (answer.refused && first) spawn(drop_first());  // who should ask for it may be gone
  // Who asks at the same time is refused the same; the last one's end of the instance is for all.
  while (answer.refused && upping > 0) co_await upped.wait();
  if (answer.refused) co_await environment.drop_ahead();
  if (!report.failures.empty()) end_when_idle("nothing is up after a failed start");
  answer.ending = ending;
  co_return answer;
}

asio::awaitable<Answer> InstanceServer::State::answer_down(Request request,
                                                           std::vector<std::size_t> services) {
  const Tolerance tolerance = std::move(request.tolerance);
  const bool test_told = request.failed;
  DownReport report;
  const std::string before = own_test != 0 && !test_told ? services_text() : "";
  if (services.empty()) {
    begin_to_end();
    report = co_await environment.down_all();
    spawn(end("taken down"));
  } else {
    report = co_await environment.down(services);
    end_when_idle("the last service was taken down");
  }
  std::erase_if(report.incidents,
                [&tolerance](const Incident& incident) { return tolerance.covers(incident); });
  if (!before.empty() && !report.incidents.empty()) {
    keep_bundle(own_test, "its services failed when they were stopped",
                reasons_of(report.incidents), before);
  }
  Answer answer;
  answer.bundles = std::exchange(untold, {});
  answer.ending = ending;
  answer.report = to_json(report);
  if (request.timing) answer.timing = to_json(make_timing(plan, {}, clock.now(), timeline));
  co_return answer;
}

asio::awaitable<Answer> InstanceServer::State::answer_fault(Request request,
                                                            std::vector<std::size_t> services) {
  Fault fault;
  fault.kind = request.fault;
  fault.services = std::move(services);
  fault.signal = request.signal;
  fault.origin = request.origin;
  fault.origin.by = fault.origin.session == 0 ? in_quotes(request.origin.by)
                                              : sessions.author(fault.origin.session);
  const FaultReport report = co_await environment.act(std::move(fault));
  Answer answer;
  answer.report = to_json(report);
  answer.ending = ending;
  co_return answer;
}

Answer InstanceServer::State::answer_begin(const Request& request,
                                           const std::vector<std::size_t>& services) {
  TestSession test{request.test, services, parse_faults(request.faults), request.origin.session,
                   request.tolerance};
  Answer answer;
  std::optional<LogSlices> logs;
  if (!request.facts.empty()) logs.emplace(artefacts);
  answer.session = sessions.begin(std::move(test));
  if (logs) witnesses.begin(answer.session, request.facts, std::move(*logs));
  timeline.test_begins(answer.session, request.test);
  held.emplace(request.client, answer.session);
  control.keep(request.client);
  return answer;
}

asio::awaitable<Answer> InstanceServer::State::answer_end(FaultOrigin origin, bool failed) {
  test_failed = test_failed || failed;
  std::erase_if(held, [&](const auto& entry) { return entry.second == origin.session; });
  const auto left = origin.keep ? TestSessions::Left::kKeep : TestSessions::Left::kUndo;
  Answer answer;
  const SessionReport report = co_await sessions.end(origin.session, left);
  timeline.test_ends(origin.session);
  const bool fails = !reasons_of(report).empty();
  test_failed = test_failed || fails;
  if (fails && !failed) answer.witness = encode(witness_of(origin.session));
  if (origin.keep) {
    own_test = origin.session;  // how its services end belongs to it
  } else {
    witnesses.forget(origin.session);
  }
  answer.report = to_json(report);
  answer.ending = ending;
  co_return answer;
}

/// A test whose command was killed together with its `isoenv exec` ends too.
void InstanceServer::State::client_gone(std::uint64_t client) {
  if (first) spawn(drop_first());
  const auto [next, end] = held.equal_range(client);
  for (auto entry = next; entry != end; ++entry) {
    if (!ending) tell_of_lost(entry->second);
    spawn(end_session(entry->second));
  }
  held.erase(next, end);
}

asio::awaitable<void> InstanceServer::State::end_session(std::uint64_t session) {
  try {
    const SessionReport report = co_await sessions.end(session);
    timeline.test_ends(session);
    for (const ServiceFailure& failure : report.failures) {
      backend.event(failure.service + ": not ready after the test: " + failure.what);
    }
  } catch (const Error& error) {
    backend.event(error.what());
  }
}

std::vector<ServiceStatus> InstanceServer::State::statuses() const {
  std::vector<ServiceStatus> statuses;
  for (std::size_t service = 0; service < plan.services.size(); ++service) {
    ServiceStatus status = environment.status(service);
    status.rung = isolated.rung;
    for (const std::string& published : site->published(service)) {
      status.ports.push_back(published);
    }
    const std::string losses = backend.log_losses(service);
    if (!losses.empty()) status.readiness += (status.readiness.empty() ? "" : "; ") + losses;
    statuses.push_back(std::move(status));
  }
  return statuses;
}

Answer InstanceServer::State::answer_join(const std::vector<std::size_t>& services) const {
  Answer answer;
  answer.variables = plan.variables;
  answer.variables.emplace_back("ISOENV_INSTANCE", directory.id());
  answer.temporary_directory =
      directory.temporary_directory(has_namespaces(isolated.rung)).string();
  answer.rung = isolated.rung;
  for (const std::size_t service : services) {
    ServiceFailure failure = environment.failure(service);
    if (!failure.what.empty()) answer.failures.push_back(std::move(failure));
  }
  return answer;
}

TestWitness InstanceServer::State::witness_of(std::uint64_t session) const {
  return {witnesses.marks(session), plan_json(plan), services_text()};
}

std::string InstanceServer::State::services_text() const { return statuses_text(statuses()); }

/// Of a test whose own isoenv does not.
void InstanceServer::State::keep_bundle(std::uint64_t session, const std::string& what,
                                        std::vector<std::string> reasons,
                                        const std::string& services) {
  try {
    untold.push_back(witnesses.tell(session, what, std::move(reasons), plan_json(plan), services));
    backend.event(
        "test '" + untold.back().test + "' failed (" + what +
        "); what its services did meanwhile: " + (untold.back().folder / "README.txt").string());
  } catch (const Error& error) {
    backend.event(std::string("what the services did while a test ran cannot be kept: ") +
                  error.what());
  }
  test_failed = true;
}

/// Its isoenv has gone without a word.
void InstanceServer::State::tell_of_lost(std::uint64_t session) {
  if (!witnesses.knows(session)) return;
  keep_bundle(session, "killed, with its isoenv, before it ended",
              reasons_of(sessions.report_so_far(session)), services_text());
}

Answer InstanceServer::State::answer_enter(const std::vector<std::size_t>& services) const {
  if (services.size() != 1) throw Error("one service can be entered at a time", ExitCode::kUsage);
  const std::size_t service = services.front();
  Answer answer;
  answer.rung = isolated.rung;
  answer.place =
      find_place(plan.services[service], backend.place(service), environment.status(service).state);
  return answer;
}

asio::awaitable<void> InstanceServer::State::watch_owner() {
  boost::system::error_code error;
  co_await owner.async_wait(asio::posix::stream_descriptor::wait_read,
                            asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return;
  for (const auto& [client, session] : held) {
    if (!ending && witnesses.owns_instance(session)) tell_of_lost(session);
  }
  co_await end("its owner has ended");
}

asio::awaitable<void> InstanceServer::State::watch_signals() {
  boost::system::error_code error;
  const int signal = co_await signals.async_wait(asio::redirect_error(asio::use_awaitable, error));
  if (!error) co_await end("the keeper got " + signal_name(signal));
}

/// Stops everything, answers whoever still waits, and leaves the loop.
asio::awaitable<void> InstanceServer::State::end(std::string reason) {
  begin_to_end();
  backend.event("instance ends: " + reason);
  asio::steady_timer grace(context, kGraceWithoutOwner);
  grace.async_wait([this](const boost::system::error_code& cancelled) {
    if (cancelled) return;
    backend.event("some services did not stop in time: killed");
    cut_short = true;
    context.stop();
  });
  const DownReport report = co_await environment.down_all();
  for (const std::string& problem : report.problems) backend.event(problem);
  grace.cancel();
  asio::steady_timer limit(context, kLastAnswers);
  limit.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled) context.stop();
  });
  while (control.owed() > 0) co_await control.answered();
  context.stop();
}

void InstanceServer::State::end_when_idle(const std::string& reason) {
  if (ending || upping > 0 || !environment.idle()) return;
  begin_to_end();
  spawn(end(reason));
}

}  // namespace isoenv
