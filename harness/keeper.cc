#include "harness/keeper.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/fault_injection.h"
#include "base/leak_check.h"
#include "base/syscall.h"
#include "env/linux_backend.h"
#include "env/loopback_site.h"
#include "env/namespace_site.h"
#include "harness/artefacts.h"
#include "harness/command.h"
#include "harness/control.h"
#include "harness/instance_server.h"
#include "harness/instances.h"
#include "harness/isolation_choice.h"
#include "harness/lease.h"
#include "harness/retention.h"
#include "harness/run_root_cover.h"
#include "harness/trace_file.h"
#include "netns/isolation.h"
#include "netns/name_files.h"
#include "netns/network.h"
#include "netns/refusal.h"
#include "process/process_tree.h"

namespace isoenv {
namespace {

/// What the keeper takes over from the process that starts it.
struct Inheritance {
  const RunDirectory& directory;
  const KeeperOptions& options;
  const EnvironmentPlan& plan;
  Isolated isolated;
  PortReservations reservations;  // ports rung only
  const ArtefactDirectory& artefacts;
  UniqueFd owner;
  UniqueFd report;  // `ok` or an encoded Error, then closed
  Clock::TimePoint began;
  Clock::TimePoint planned;

  bool has_namespaces() const { return isoenv::has_namespaces(isolated.rung); }
};

std::string host_name() {
  char name[256] = "";
  (void)!::gethostname(name, sizeof name - 1);
  return name;
}

void restore_default_signals() {
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);  // a log that may not grow is no reason to die, setrlimit(2)
}

/// Nothing of ctest's may stay open: it waits for the end of its one output pipe.
void leave_callers_descriptors(const Inheritance& inheritance,
                               const std::vector<PublishedPort>& published) {
  const std::string log = (inheritance.artefacts.path / "keeper.log").string();
  const UniqueFd nothing = open_or_throw("/dev/null", O_RDONLY);
  const UniqueFd output = open_or_throw(log, O_WRONLY | O_CREAT | O_APPEND);
  if (::dup2(*nothing, 0) < 0 || ::dup2(*output, 1) < 0 || ::dup2(*output, 2) < 0) {
    throw_errno("redirect the standard streams to", log);
  }
  std::vector<int> keep{*inheritance.artefacts.marker, *inheritance.report};
  if (inheritance.owner) keep.push_back(*inheritance.owner);
  for (const PublishedPort& port : published) {
    for (const UniqueFd& socket : port.listener.sockets) keep.push_back(*socket);
  }
  for (const int reserved : inheritance.reservations.descriptors()) keep.push_back(reserved);
  std::sort(keep.begin(), keep.end());
  close_all_from(3, keep.data(), static_cast<int>(keep.size()));
}

/// Each service takes a handful of descriptors. Returns the soft limit that programs get back.
unsigned long raise_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const unsigned long before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return before;
}

/// True when services run as other accounts than ours: only root can make them.
bool changes_accounts(const EnvironmentSpec& spec) {
  return ::geteuid() == 0 && std::any_of(spec.services.begin(), spec.services.end(),
                                         [](const ServiceSpec& s) { return !s.user.empty(); });
}

/// The keeper's own pid on the host: its /proc is still the host's.
ProcessId own_host_process() {
  char target[32] = "";
  const ssize_t length = ::readlink("/proc/self", target, sizeof target - 1);
  const pid_t pid = length > 0 ? static_cast<pid_t>(std::strtol(target, nullptr, 10)) : 0;
  return read_process(pid).value_or(ProcessId{pid, 0});
}

/// Beside the logs, as every other file that the instance leaves.
void write_trace(const Inheritance& inheritance, const InstanceServer& server) noexcept {
  try {
    TraceFile(inheritance.artefacts.path / "trace.json").write(server.trace());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "isoenv: %s\n", error.what());
  }
}

/// What the keeper's own namespaces need; both last as long as the instance.
void furnish_namespaces(const Inheritance& inheritance, std::optional<Zygote>& zygote,
                        std::optional<RunRootCover>& cover) {
  enter_own_mounts();
  zygote.emplace();  // shares the mounts, and starts while they are made
  mount_own_shared_memory();
  cover.emplace(inheritance.directory, inheritance.artefacts.path);
  cover_name_files(inheritance.plan.hosts, cover->path());
  cover->show_own(changes_accounts(inheritance.options.spec));
  write_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
}

/// What namespaces would give: temporary files of its own, and a hold on whatever is orphaned.
void furnish_host(const Inheritance& inheritance) {
  const std::filesystem::path temporary = inheritance.directory.temporary_directory(false);
  if (::mkdir(temporary.c_str(), 0700) != 0) throw_errno("create the directory", temporary);
  if (changes_accounts(inheritance.options.spec)) {  // who gets a folder in there must reach it
    const std::filesystem::path& own = inheritance.directory.path();
    for (const auto& path : {own.parent_path(), own, temporary, inheritance.artefacts.path}) {
      let_others_pass(path);
    }
  }
  if (!adopt_orphans()) throw_errno("become the one who inherits orphans");
}

/// PID 1 of the instance, if it has namespaces, from its first step to its last.
int be_keeper(Inheritance& inheritance, std::vector<PublishedPort> published) {
  enter_role(Role::kKeeper);
  const Clock::TimePoint cloned = SteadyClock().now();
  // The same user may always reach us: exec enters our namespaces (ptrace(2), PTRACE_MODE_READ).
  const unsigned long open_files = raise_open_files();
  const bool has_namespaces = inheritance.has_namespaces();
  std::optional<RunRootCover> cover;
  std::optional<Zygote> zygote;
  if (has_namespaces) {
    furnish_namespaces(inheritance, zygote, cover);
  } else {
    furnish_host(inheritance);
  }

  const Clock::TimePoint furnished = SteadyClock().now();
  Lease lease;
  lease.key = inheritance.options.key;
  lease.environment = inheritance.plan.name;
  lease.artefact_directory = inheritance.artefacts.path;
  lease.keeper = own_host_process();
  lease.owner = inheritance.options.owner;
  lease.rung = inheritance.isolated.rung;
  lease.refusal = inheritance.isolated.refusal;
  lease.version = isoenv_version();
  lease.spec_digest = inheritance.options.spec.digest;
  record_keeper(*inheritance.artefacts.marker, lease.keeper.pid);

  LinuxBackendOptions backend;
  backend.artefact_directory = inheritance.artefacts.path;
  backend.run_directory = inheritance.directory.path();
  backend.temporary_directory = inheritance.directory.temporary_directory(has_namespaces);
  backend.instance_id = inheritance.directory.id();
  backend.open_files = open_files;
  backend.inherited = own_environment();
  backend.change_accounts = ::geteuid() == 0;
  backend.zygote = zygote ? &*zygote : nullptr;

  Site* site = nullptr;  // the server's
  const MakeSite make_site = [&](boost::asio::any_io_executor executor) {
    std::unique_ptr<Site> made;
    if (has_namespaces) {
      made = std::make_unique<NamespaceSite>(executor, inheritance.plan, std::move(published));
    } else {
      made = std::make_unique<LoopbackSite>(
          executor, inheritance.plan, std::move(inheritance.reservations), std::move(published));
    }
    site = made.get();
    return made;
  };
  std::optional<InstanceServer> server;
  server.emplace(inheritance.plan, std::move(backend), make_site, inheritance.directory,
                 std::move(inheritance.owner), inheritance.isolated,
                 inheritance.options.keeps_history);
  server->begin(inheritance.options.first);
  const Clock::TimePoint connected = SteadyClock().now();
  server->record({{"isoenv", "keeper", "start", inheritance.began, connected},
                  {"isoenv", "keeper", "plan", inheritance.began, inheritance.planned},
                  {"isoenv", "keeper", "namespaces", inheritance.planned, cloned},
                  {"isoenv", "keeper", "mounts", cloned, furnished},
                  {"isoenv", "keeper", "network", furnished, connected}});
  const UniqueFd lease_lock = write_lease(inheritance.directory, lease);
  if (::write(*inheritance.report, "ok", 2) != 2) return 1;
  inheritance.report.reset();

  // Beyond this point the instance is up, and whoever started us may be gone.
  const bool passed = server->run();
  record_end(*inheritance.artefacts.marker, passed);
  if (inheritance.options.writes_trace) write_trace(inheritance, *server);

  // The kernel ends with us whatever a namespace of ours holds; elsewhere that is our part.
  // The connections close with the process, last: clients wait for that (ControlClient), and may
  // ask for the same ports at once. The kernel closes what is left in an order of its own.
  if (!has_namespaces) end_descendants();
  site->give_back_ports();
  const RunDirectory directory = cover ? cover->below() : inheritance.directory;
  // A successor that already waits for our end clears the directory itself.
  if (auto lock = StartLock::try_take(directory)) {
    (void)remove_run_directory(std::move(*lock));
  }
  // What is left the kernel takes apart sooner than destructors would.
  check_for_leaks();
  ::_exit(0);
}

/// Stays outside the instance, the keeper's parent, and sees the host's files: when the keeper ends
/// without having cleaned up, by SIGKILL, its files go with it. Then it drops the artefacts of old
/// instances: while one starts, the time is others'. Holds nothing; its own death costs nothing but
/// that. Without namespaces it inherits the keeper's orphans too, and ends them.
int tidy_after(pid_t keeper, bool has_namespaces, const RunDirectory& directory,
               const std::filesystem::path& artefact_root) {
  enter_role(Role::kTidy);
  ::prctl(PR_SET_NAME, "isoenv-tidy", 0, 0, 0);
  ::signal(SIGTERM, SIG_IGN);
  ::signal(SIGINT, SIG_IGN);
  ::signal(SIGHUP, SIG_IGN);
  close_all_from(3, nullptr, 0);
  while (::waitpid(keeper, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (!has_namespaces) end_descendants();
  remove_if_dead(directory);
  drop_old_artefacts(artefact_root);
  if (is_new_root(artefact_root)) drop_abandoned_artefacts();
  return 0;
}

/// How messages name who has a port, when that is another instance: `, instance 'shop' of …`.
std::string explain_holder(const RunDirectory& own, const PortHolder& holder) {
  if (holder.pid == 0) return "";
  for (const RunningInstance& instance : list_instances(own.path().parent_path())) {
    const Lease& lease = instance.lease;
    if (lease.keeper.pid != holder.pid && instance.directory.id() != holder.instance) continue;
    return ", of the instance of '" + lease.environment + "' from '" +
           lease.key.spec_file.string() + "'";
  }
  return "";
}

/// Leaves the caller's session and the host's namespaces; its child becomes the keeper.
int detach(Inheritance inheritance) {
  const auto tell = [&inheritance](const Error& error) {
    const std::string text = encode_error(error);
    const int to = inheritance.report ? *inheritance.report : STDERR_FILENO;
    (void)!::write(to, text.data(), text.size());
    return 1;
  };
  try {
    ::setsid();
    restore_default_signals();
    std::vector<PublishedPort> published = bind_published_ports(
        inheritance.plan,
        [&](const PortHolder& holder) { return explain_holder(inheritance.directory, holder); });
    leave_callers_descriptors(inheritance, published);
    const pid_t tidier = ::fork();
    if (tidier < 0) throw_errno("fork");
    if (tidier > 0) return 0;
    if (inheritance.has_namespaces()) {
      inheritance.isolated.rung = rung_name(enter_new_namespaces());
    } else if (!adopt_orphans()) {
      throw_errno("become the one who inherits orphans");
    }
    const pid_t keeper = ::fork();
    if (keeper < 0) throw_errno("fork the keeper");
    if (keeper > 0) {
      return tidy_after(keeper, inheritance.has_namespaces(), inheritance.directory,
                        inheritance.options.artefact_root);
    }
    return be_keeper(inheritance, std::move(published));
  } catch (const std::exception& error) {
    return tell(told(error));
  }
}

PlanOptions plan_options(const RunDirectory& directory, const ArtefactDirectory& artefacts,
                         bool has_namespaces) {
  PlanOptions options;
  options.artefact_directory = artefacts.path;
  options.temporary_directory = directory.temporary_directory(has_namespaces);
  options.hub_hostname = host_name();
  options.ipv6 = kernel_has_ipv6();
  return options;
}

UniqueFd open_owner(const Owner& owner) {
  if (owner.kind == Owner::Kind::kNone) return {};
  UniqueFd pidfd = open_pidfd(owner.process);
  if (!pidfd) {
    throw Error("the owner, process " + std::to_string(owner.process.pid) + ", has ended");
  }
  return pidfd;
}

/// Forks the keeper of a planned instance and returns when it listens.
void start_planned(const StartLock& lock, const KeeperOptions& options,
                   const ArtefactDirectory& artefacts, const EnvironmentPlan& plan,
                   Isolated isolated, PortReservations reservations, Clock::TimePoint began) {
  const Clock::TimePoint planned = SteadyClock().now();
  UniqueFd owner = open_owner(options.owner);
  Pipe report = make_pipe();
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) throw_errno("fork");
  if (child == 0) {
    const int exit_code =
        detach({lock.directory(), options, plan, std::move(isolated), std::move(reservations),
                artefacts, std::move(owner), std::move(report.write), began, planned});
    check_for_leaks();
    ::_exit(exit_code);
  }
  report.write.reset();
  const std::string answer = read_to_end(*report.read);
  ::waitpid(child, nullptr, 0);
  if (answer == "ok") return;
  const bool whole = answer.ends_with('}');  // else it was killed while it wrote
  if (!whole) {
    throw Error("the keeper ended while it started; see '" +
                (artefacts.path / "keeper.log").string() + "'");
  }
  throw decode_error(answer);
}

void start_in_namespaces(const StartLock& lock, const KeeperOptions& options,
                         const ArtefactDirectory& artefacts, Clock::TimePoint began) {
  if (joining_is_filtered()) {  // it would be up, and no command could enter it
    if (const std::optional<Error> refusal = find_refusal()) throw *refusal;
  }
  PlanOptions planning = plan_options(lock.directory(), artefacts, true);
  // Root's folders are mostly closed to others; the run directory is not, inside the instance.
  if (changes_accounts(options.spec)) {
    planning.artefact_directory = lock.directory().artefact_alias();
  }
  const EnvironmentPlan plan = plan_spec(options.spec, planning);
  start_planned(lock, options, artefacts, plan, {}, {}, began);
}

/// `refusal`: why there are no namespaces; "" when none were asked for.
void start_on_host(const StartLock& lock, const KeeperOptions& options,
                   const ArtefactDirectory& artefacts, const std::string& refusal,
                   Clock::TimePoint began) {
  const RunDirectory& directory = lock.directory();
  PlanOptions planning = plan_options(directory, artefacts, false);
  planning.shared_loopback = true;
  (void)plan_spec(options.spec, planning);  // refuses what cannot be before it takes a port
  const auto explain = [&](const PortHolder& holder) { return explain_holder(directory, holder); };
  ReservedPorts reserved = reserve_ports(options.spec, directory.id(), explain);
  planning.reserved = std::move(reserved.assigned);
  const EnvironmentPlan plan = plan_spec(options.spec, planning);
  start_planned(lock, options, artefacts, plan, {rung_name(Rung::kPorts), refusal},
                std::move(reserved.reservations), began);
}

}  // namespace

void start_keeper(const StartLock& lock, const KeeperOptions& options) {
  const Clock::TimePoint began = SteadyClock().now();
  check_secrets(options.spec);
  clear_run_directory(lock);
  const ArtefactDirectory artefacts =
      create_artefact_directory(options.artefact_root, lock.directory().id(),
                                {options.spec.name, options.key.spec_file, options.key.name});
  if (options.isolation == Isolation::kPorts) {
    return start_on_host(lock, options, artefacts, "", began);
  }
  std::string refusal = options.refusal;
  if (refusal.empty()) {
    try {
      return start_in_namespaces(lock, options, artefacts, began);
    } catch (const Error& refused) {
      if (options.isolation == Isolation::kNetns || refused.code() != ExitCode::kCannotRun) throw;
      refusal = in_one_line(refused);
    }
    clear_run_directory(lock);  // a keeper that was refused halfway has ended, and left its part
  }
  with_frame("starting with " + degraded_text(refusal),
             [&] { start_on_host(lock, options, artefacts, refusal, began); });
}

}  // namespace isoenv
