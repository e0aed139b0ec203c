#include "env/linux_backend.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <exception>
#include <map>
#include <optional>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/syscall.h"
#include "env/running_service.h"
#include "env/secret_values.h"
#include "process/merged_log.h"
#include "process/process_tree.h"

namespace isoenv {
namespace {

namespace asio = boost::asio;

/// A stopped service's output ends with its last process; one that passed its pipe to another
/// service keeps it open, and is not waited for longer than this.
constexpr std::chrono::seconds kDrainLimit{1};
constexpr std::size_t kLastLines = 20;

bool uses(const ServicePlan& plan, ProbeKind kind) {
  return std::any_of(plan.ready.begin(), plan.ready.end(),
                     [&](const ProbePlan& probe) { return probe.kind == kind; });
}

std::size_t widest_name(const EnvironmentPlan& plan) {
  std::size_t width = 6;  // `isoenv`, for events
  for (const ServicePlan& service : plan.services) width = std::max(width, service.name.size());
  return width;
}

void make_directory(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw SystemError(error.value(), "create the directory", path.string());
}

/// For its owner alone, whatever it was before.
void make_private_directory(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), 0700) != 0) make_directory(path);
  if (::chmod(path.c_str(), 0700) != 0) throw_errno("restrict", path);
}

}  // namespace

struct LinuxBackend::State {
  State(asio::any_io_executor executor_, const EnvironmentPlan& plan_, Clock& clock_,
        LinuxBackendOptions options_, Site& site_, Incidents& incidents_, Timeline& timeline_)
      : executor(std::move(executor_)),
        plan(plan_),
        clock(clock_),
        options(std::move(options_)),
        secret_values(take_secrets(plan_, options.inherited)),
        secrets(make_secrets(secret_values)),
        shared_environment(options.inherited, plan_.variables),
        site(site_),
        incidents(incidents_),
        timeline(timeline_),
        merged(options.artefact_directory / "isoenv.log", widest_name(plan_)),
        running(plan_.services.size()),
        refused(plan_.services.size(), false),
        held(plan_.services.size(), false) {
    for (const ServicePlan& service : plan.services)
      merged.limit(service.name, service.log_limit, service.name + ".log");
  }

  asio::any_io_executor executor;
  const EnvironmentPlan& plan;
  Clock& clock;
  LinuxBackendOptions options;
  Variables secret_values;  // taken out of options.inherited, before anything is made of that
  std::shared_ptr<const Secrets> secrets;
  SharedEnvironment shared_environment;
  Site& site;
  Incidents& incidents;
  Timeline& timeline;
  MergedLog merged;
  UniqueFd nothing = open_or_throw("/dev/null", O_RDONLY);  // what programs read
  std::vector<std::shared_ptr<RunningService>> running;
  std::vector<bool> refused;
  std::vector<bool> held;                   // at the next start, before the program is executed
  std::map<std::string, Account> accounts;  // looked up before, by what the spec calls them

  LogFile open_log(const ServicePlan& service);
  std::optional<Account> account(const ServicePlan& service);
  Variables variables(std::size_t service, const std::optional<Account>& account) const;
  Program program(std::size_t service, const std::optional<Account>& account) const;
  std::string launch_failure(const ServicePlan& service, const LaunchFailure& failure);
  void give_places(std::size_t service, const Account& account) const;
  asio::awaitable<void> gone(std::shared_ptr<RunningService> ended);
  asio::awaitable<void> capture_rest(std::string name, std::shared_ptr<RunningService> ended);
  std::filesystem::path notify_path(std::size_t service) const {
    return options.run_directory / ("notify" + std::to_string(service));
  }
};

LinuxBackend::LinuxBackend(asio::any_io_executor executor, const EnvironmentPlan& plan,
                           Clock& clock, LinuxBackendOptions options, Site& site,
                           Incidents& incidents, Timeline& timeline)
    : state_(std::make_unique<State>(executor, plan, clock, std::move(options), site, incidents,
                                     timeline)) {
  for (const std::filesystem::path& scratch : plan.scratch_directories) make_directory(scratch);
}

LinuxBackend::~LinuxBackend() = default;

LogFile LinuxBackend::State::open_log(const ServicePlan& service) {
  LogFile::Options log;
  log.limit = service.log_limit;
  log.at_first_byte = true;
  log.tell = [this, name = service.name](const std::string& news) {
    merged.event(name + ": " + news);
  };
  return {options.artefact_directory / (service.name + ".log"), std::move(log)};
}

/// The account that the service runs as; none: ours. Throws Error when there is no such account.
std::optional<Account> LinuxBackend::State::account(const ServicePlan& service) {
  if (!options.change_accounts || service.user.empty()) return std::nullopt;
  const auto known = accounts.find(service.user);
  if (known != accounts.end()) return known->second;
  return accounts.emplace(service.user, find_account(service.user)).first->second;
}

/// What a service finds in its environment beside what it inherits or all have; without secrets.
Variables LinuxBackend::State::variables(std::size_t service,
                                         const std::optional<Account>& account) const {
  const ServicePlan& service_plan = plan.services[service];
  Variables own = account ? account->variables() : Variables();
  own.insert(own.end(), service_plan.env.begin(), service_plan.env.end());
  own.emplace_back("ISOENV_INSTANCE", options.instance_id);
  if (uses(service_plan, ProbeKind::kNotify)) {
    own.emplace_back("NOTIFY_SOCKET", notify_path(service).string());
  }
  return own;
}

/// The command line, environment and streams of a service.
Program LinuxBackend::State::program(std::size_t service,
                                     const std::optional<Account>& account) const {
  const ServicePlan& service_plan = plan.services[service];
  Variables own = variables(service, account);
  const std::vector<std::string>& wanted = service_plan.secret_env;
  for (const auto& [name, value] : secret_values) {
    if (std::find(wanted.begin(), wanted.end(), name) != wanted.end())
      own.emplace_back(name, value);
  }
  Program program;
  program.argv = service_plan.command;
  program.env = shared_environment.with(service_plan.env_mode, own);
  program.working_directory = service_plan.working_directory.string();
  program.open_files = options.open_files;
  program.new_session = true;
  program.bound_capabilities = true;
  program.account = account;
  if (account) program.must_reach = (options.temporary_directory / service_plan.name).string();
  return program;
}

/// What a service writes to belongs to the account that it runs as.
void LinuxBackend::State::give_places(std::size_t service, const Account& account) const {
  const ServicePlan& service_plan = plan.services[service];
  const auto give = [&](const std::filesystem::path& path) {
    if (::lchown(path.c_str(), account.uid, account.gid) != 0) {
      throw_errno("give to '" + account.name + "'", path);
    }
  };
  give(options.temporary_directory / service_plan.name);
  if (uses(service_plan, ProbeKind::kNotify)) give(notify_path(service));
  const auto& scratch = plan.scratch_directories;
  if (std::find(scratch.begin(), scratch.end(), service_plan.scratch_directory) != scratch.end()) {
    give(service_plan.scratch_directory);
  }
}

asio::awaitable<StartOutcome> LinuxBackend::start(std::size_t service) {
  std::string reason;
  try {
    co_await start_running(service);
    // Only now: who asked before may still want to know how the start before went.
    state_->refused[service] = false;
    co_return Started{state_->running[service]->sandbox->program_host_pid()};
  } catch (const std::exception& exception) {
    state_->refused[service] = dynamic_cast<const SystemError*>(&exception) != nullptr;
    reason = in_one_line(told(exception));
  }
  if (const std::shared_ptr<RunningService> running = state_->running[service]) {
    running->sandbox->kill();
    co_await state_->gone(running);
  }
  co_return NotStarted{state_->secrets->redact(reason)};
}

asio::awaitable<void> LinuxBackend::start_running(std::size_t service) {
  const ServicePlan& plan = state_->plan.services[service];
  const std::string& name = plan.name;
  state_->running[service].reset();
  state_->site.withdraw(service);

  // The program and everything it names.
  const std::optional<Account> account = state_->account(plan);
  const std::filesystem::path temporary = state_->options.temporary_directory / name;
  make_private_directory(temporary);
  InitPlan init;
  state_->site.prepare(service, init);
  init.program = state_->program(service, account);
  init.program.dies_with_parent = init.ends_tree;
  const auto find = [&](Program& program) {
    const auto found =
        find_program(program.argv.front(), search_path(program.env), plan.working_directory);
    if (const auto* missing = std::get_if<ProgramNotFound>(&found)) throw Error(missing->reason);
    program.executable = std::get<std::string>(found);
  };
  find(init.program);
  if (!plan.launcher.empty()) {
    init.launched_program = init.program.executable;
    init.program.argv.front() = init.program.executable;  // as launchers look it up, or not at all
    init.program.argv.insert(init.program.argv.begin(), plan.launcher.begin(), plan.launcher.end());
    with_frame("looking for the launcher", [&] { find(init.program); });
  }

  // Output is captured from the first byte: before anything could write.
  const SanitizerFiles::Listen listen = [this, service, name](const std::filesystem::path& log) {
    return tell_reports(state_->incidents, service, name, log,
                        [this](const std::string& text) { event(text); });
  };
  const auto running = std::make_shared<RunningService>(
      plan, listen(state_->options.artefact_directory / (name + ".log")));
  running->sanitizer_files =
      SanitizerFiles(init.program.env, plan.working_directory, account ? account->uid : ::geteuid(),
                     listen, state_->secrets);
  Pipe output = make_pipe();
  init.program.stdio = {*state_->nothing, *output.write, *output.write};
  running->output.emplace(
      state_->executor, std::move(output.read), state_->open_log(plan),
      [state = state_.get(), service, name,
       weak = std::weak_ptr<RunningService>(running)](std::string_view text) {
        state->timeline.mark(service, Moment::kOutput);
        state->merged.append(name, text);
        if (const auto self = weak.lock()) {
          self->sanitizers.feed(text);
          const std::string problem = self->match([&] { self->matcher.feed(text); });
          if (!problem.empty()) state->merged.event(name + ": " + problem);
        }
      },
      state_->secrets);
  for (const ProbePlan& probe : plan.ready) {
    if (probe.kind != ProbeKind::kExec) continue;
    if (!running->probe_output) running->probe_output.emplace();
    Program command = init.program;
    command.argv = probe.command;  // without the launcher
    command.stdio = {*state_->nothing, running->probe_output->fd(), running->probe_output->fd()};
    find(command);
    init.probes.push_back(std::move(command));
  }

  // Its place; the set-up inside and the link outside go on at the same time.
  if (uses(plan, ProbeKind::kNotify)) {
    running->notify.emplace(state_->executor, state_->notify_path(service),
                            [weak = std::weak_ptr<RunningService>(running)] {
                              if (const auto self = weak.lock()) self->ask_again();
                            });
  }
  if (account) state_->give_places(service, *account);
  state_->timeline.mark(service, Moment::kPlanned);
  running->sandbox.emplace(
      state_->executor, state_->site.namespaces(), std::move(init),
      [this, name](const std::string& note) { event(name + ": " + note); }, Birth::kInOwn,
      state_->options.zygote);
  output.write.reset();
  state_->running[service] = running;
  co_await running->sandbox->born();
  state_->timeline.mark(service, Moment::kCloned);
  std::exception_ptr link_failure;
  try {
    co_await state_->site.connect(service, *running->sandbox);
  } catch (const Error&) {
    link_failure = std::current_exception();
  }
  if (link_failure) {
    // An init whose set-up fails ends, and its namespaces with it: then that is what went wrong.
    co_await running->sandbox->prepared();
    std::rethrow_exception(link_failure);
  }
  state_->timeline.mark(service, Moment::kLinked);
  co_await running->sandbox->prepared();
  state_->timeline.mark(service, Moment::kPrepared);
  running->prepared = true;

  // Beyond this point the program runs, unless it is held.
  if (running->stopping) throw Error("stopped before it was started");
  running->launched = !state_->held[service];
  Sandbox& sandbox = *running->sandbox;
  const std::variant<pid_t, LaunchFailure> launched =
      running->launched ? co_await sandbox.launch() : co_await sandbox.launch_held();
  state_->held[service] = false;
  if (const auto* failure = std::get_if<LaunchFailure>(&launched)) {
    throw Error(state_->launch_failure(plan, *failure));
  }
  if (running->launched) state_->timeline.mark(service, Moment::kLaunched);
}

std::string LinuxBackend::State::launch_failure(const ServicePlan& service,
                                                const LaunchFailure& failure) {
  const auto& words = service.launcher.empty() ? service.command : service.launcher;
  const std::optional<Account> as = account(service);
  return describe(failure, words.front(), service.working_directory.string()) +
         (as ? ", as the account '" + as->name + "'" : "");
}

void LinuxBackend::hold_next_start(std::size_t service) { state_->held[service] = true; }

void LinuxBackend::release(std::size_t service) noexcept {
  if (const auto& running = state_->running[service]) running->sandbox->signal(SIGCONT);
}

asio::awaitable<std::optional<NotStarted>> LinuxBackend::released(std::size_t service) {
  const std::shared_ptr<RunningService> running = state_->running[service];
  const std::optional<LaunchFailure> failure = co_await running->sandbox->released();
  running->launched = true;
  state_->timeline.mark(service, Moment::kLaunched);
  if (!failure) co_return std::nullopt;
  co_return NotStarted{state_->launch_failure(state_->plan.services[service], *failure)};
}

/// Returns when no process of an ended service is left.
asio::awaitable<void> LinuxBackend::State::gone(std::shared_ptr<RunningService> ended) {
  co_await ended->sandbox->gone();
  site.init_ended(ended->sandbox->pid(), ended->sandbox->init_killed());
}

/// Returns when the output of an ended service is captured to its last byte.
asio::awaitable<void> LinuxBackend::State::capture_rest(std::string name,
                                                        std::shared_ptr<RunningService> ended) {
  co_await gone(ended);
  if (!ended->output->is_drained()) {
    asio::steady_timer limit(executor, kDrainLimit);
    limit.async_wait([ended](const boost::system::error_code& cancelled) {
      if (!cancelled) ended->output->stop();
    });
    co_await ended->output->drained();
  }
  merged.finish(name);
  ended->sanitizers.finish();
  ended->sanitizer_files.finish();
  (void)ended->match([&] { ended->matcher.finish(); });
}

asio::awaitable<ReadyOutcome> LinuxBackend::wait_ready(std::size_t service) {
  const ServicePlan& plan = state_->plan.services[service];
  const std::shared_ptr<RunningService> running = state_->running[service];
  const ProbeContext context =
      probe_context(state_->plan, service, state_->site, state_->secrets, running);
  const AwaitExit await_exit = [this, service]() { return exited(service); };
  co_return co_await isoenv::wait_ready(plan.ready, context, await_exit, plan.ready_timeout,
                                        state_->clock);
}

asio::awaitable<ExitStatus> LinuxBackend::exited(std::size_t service) {
  const std::shared_ptr<RunningService> running = state_->running[service];
  const ExitStatus status = co_await running->sandbox->exited();
  co_await state_->capture_rest(state_->plan.services[service].name, running);
  co_return status;
}

asio::awaitable<ServiceStop> LinuxBackend::stop(std::size_t service,
                                                std::vector<std::string>& problems) noexcept {
  const ServicePlan& plan = state_->plan.services[service];
  const std::shared_ptr<RunningService> running = state_->running[service];
  ServiceStop stop{plan.name, ServiceStop::How::kNotRunning, ""};
  if (!running || !running->sandbox) co_return stop;
  running->stopping = true;
  Sandbox& sandbox = *running->sandbox;
  try {
    if (!sandbox.has_exited()) {
      asio::steady_timer deadline(state_->executor, plan.stop_timeout);
      if (running->launched) {
        sandbox.signal(plan.stop_signal);
        if (running->paused) sandbox.signal_all(SIGCONT);  // who stands still cannot stop politely
        deadline.async_wait([running](const boost::system::error_code& cancelled) {
          if (cancelled || running->sandbox->has_exited()) return;
          running->killed = true;
          running->sandbox->kill();
        });
      } else {
        sandbox.kill();
      }
      const ExitStatus status = co_await sandbox.exited();
      stop.status = status.describe();
      stop.exit = status;
      stop.how = running->killed ? ServiceStop::How::kKilled : ServiceStop::How::kStopped;
    }
    sandbox.kill();  // whatever the program has left behind
    co_await state_->gone(running);
    co_await state_->capture_rest(plan.name, running);
  } catch (const std::exception& error) {
    problems.push_back("cannot stop '" + plan.name + "' cleanly: " + error.what());
    sandbox.kill();
  }
  state_->site.withdraw(service);
  running->notify.reset();
  co_return stop;
}

void LinuxBackend::signal(std::size_t service, int number) noexcept {
  const std::shared_ptr<RunningService> running = state_->running[service];
  if (running && running->launched) running->sandbox->signal(number);
}

asio::awaitable<void> LinuxBackend::pause(std::size_t service) {
  const std::shared_ptr<RunningService> running = state_->running[service];
  running->paused = true;
  running->sandbox->signal_all(SIGSTOP);
  co_await running->sandbox->all_signalled();
}

asio::awaitable<void> LinuxBackend::resume(std::size_t service) {
  const std::shared_ptr<RunningService> running = state_->running[service];
  running->paused = false;
  running->sandbox->signal_all(SIGCONT);
  co_await running->sandbox->all_signalled();
}

void LinuxBackend::catch_up() noexcept {
  for (const std::shared_ptr<RunningService>& running : state_->running) {
    if (running) running->catch_up();
  }
}

void LinuxBackend::let_go(std::size_t service) noexcept { state_->site.let_go(service); }

ServiceFailure LinuxBackend::describe_failure(std::size_t service) {
  ServiceFailure failure;
  failure.service = state_->plan.services[service].name;
  if (const auto& running = state_->running[service]) {
    failure.last_lines = running->matcher.last_lines(kLastLines);
    std::filesystem::path log = state_->options.artefact_directory / (failure.service + ".log");
    std::error_code error;
    if (std::filesystem::exists(log, error)) failure.log = std::move(log);
    if (failure.log.empty() && running->launched)
      failure.diagnosis.emplace_back("it wrote nothing");
    const std::string losses = log_losses(service);
    if (!losses.empty()) failure.diagnosis.push_back(losses);
  }
  return failure;
}

void LinuxBackend::event(const std::string& text) {
  const std::string shown = state_->secrets->redact(text);
  state_->merged.event(shown);
  state_->timeline.event(shown);
}

bool LinuxBackend::was_refused(const std::vector<std::size_t>& services) const {
  return std::any_of(services.begin(), services.end(),
                     [&](std::size_t service) { return state_->refused[service]; });
}

std::optional<LinuxBackend::Place> LinuxBackend::place(std::size_t service) const {
  const std::shared_ptr<RunningService>& running = state_->running[service];
  if (!running || !running->prepared || running->sandbox->has_exited()) return std::nullopt;
  const ServicePlan& plan = state_->plan.services[service];
  const Variables own = state_->variables(service, state_->account(plan));
  return Place{host_pid(running->sandbox->pidfd()),
               state_->shared_environment.with(plan.env_mode, own)};
}

std::string LinuxBackend::log_losses(std::size_t service) const {
  const std::shared_ptr<RunningService>& running = state_->running[service];
  const std::string losses = running && running->output ? running->output->losses() : "";
  return losses.empty() ? "" : "of its log, " + losses;
}

}  // namespace isoenv
