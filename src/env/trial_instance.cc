#include "env/trial_instance.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/error.h"
#include "base/syscall.h"
#include "netns/name_files.h"
#include "netns/network.h"
#include "netns/socket_diag.h"
#include "process/sandbox.h"

namespace isoenv {
namespace {

namespace asio = boost::asio;
using State = Finding::State;

constexpr char kHubAddress[] = "10.0.0.1";
constexpr char kServiceAddress[] = "10.0.0.2";
constexpr std::uint16_t kPort = 8080;

/// Tells what is granted; the first refusal ends the process, as nothing after it could be had.
class Teller {
 public:
  explicit Teller(int pipe) : pipe_(pipe) {}

  void begin(const char* capability) {
    TrialRecord record;
    record.finding.capability = capability;
    send_record(pipe_, record);
  }
  void ok(const char* capability, const std::string& detail = "") {
    tell(capability, State::kOk, detail);
  }
  void untried(const char* capability, const std::string& detail) {
    tell(capability, State::kUntried, detail);
  }
  void number(TrialRecord::Kind kind, int number) { send_record(pipe_, {kind, {}, number}); }

  void refusal(const char* capability, State state, const Refusal& refusal,
               std::string detail = "") {
    Finding finding;
    finding.capability = capability;
    finding.state = state;
    finding.detail = std::move(detail);
    finding.step = refusal.step;
    finding.error_number = refusal.error_number;
    finding.cause = refusal.cause;
    send_record(pipe_, {TrialRecord::Kind::kFinding, finding, 0});
  }

  [[noreturn]] void refuse(const char* capability, Attempt attempt, const SystemError& error) {
    refusal(capability, State::kRefused,
            explain(error.operation(), attempt, error.error_number(), read_standing()));
    ::_exit(0);
  }

  /// `body` must go well; it returns the detail, if any.
  void essential(const char* capability, Attempt attempt, const std::function<void()>& body) {
    begin(capability);
    try {
      body();
    } catch (const Refused& refused) {
      refusal(capability, State::kRefused, refused.refusal());
      ::_exit(0);
    } catch (const SystemError& error) {
      refuse(capability, attempt, error);
    } catch (const std::exception& error) {
      Refusal other;
      other.step = error.what();
      refusal(capability, State::kRefused, other);
      ::_exit(0);
    }
    ok(capability);
  }

 private:
  void tell(const char* capability, State state, const std::string& detail) {
    Finding finding;
    finding.capability = capability;
    finding.state = state;
    finding.detail = detail;
    send_record(pipe_, {TrialRecord::Kind::kFinding, finding, 0});
  }

  int pipe_;
};

sockaddr_in service_endpoint() {
  sockaddr_in endpoint{};
  endpoint.sin_family = AF_INET;
  endpoint.sin_port = htons(kPort);
  ::inet_pton(AF_INET, kServiceAddress, &endpoint.sin_addr);
  return endpoint;
}

UniqueFd listen_in(const Sandbox& sandbox) {
  UniqueFd socket;
  in_network_namespace(sandbox.pidfd(), [&] {
    socket.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in endpoint = service_endpoint();
    if (!socket ||
        ::bind(*socket, reinterpret_cast<const sockaddr*>(&endpoint), sizeof endpoint) != 0 ||
        ::listen(*socket, 1) != 0) {
      throw_errno("listen in a service's network namespace");
    }
  });
  return socket;
}

void expect_listener(SocketDiag sockets) {
  for (const BoundSocket& socket : sockets.tcp_listeners()) {
    if (socket.port == kPort) return;
  }
  throw Error("see a listening socket by NETLINK_SOCK_DIAG");
}

void connect_from_hub(int listener) {
  const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in endpoint = service_endpoint();
  if (!client ||
      ::connect(*client, reinterpret_cast<const sockaddr*>(&endpoint), sizeof endpoint) != 0) {
    throw_errno("connect from the hub to a service");
  }
  const UniqueFd accepted(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  if (!accepted) throw_errno("accept a connection from the hub");
}

InitPlan service_plan(int nothing) {
  InitPlan plan;
  plan.passes_sockets = true;
  plan.hostname = "trial";
  plan.own_proc = true;
  plan.own_sys = true;
  plan.low_ports = true;
  plan.program.executable = "/proc/self/exe";
  plan.program.argv = {"isoenv", "--version"};
  plan.program.stdio = {nothing, nothing, nothing};
  plan.program.new_session = true;
  return plan;
}

/// What a sandbox does without when it must; tried as its init does (process/init.cc), in a process
/// of its own, so that what is refused is explained where it was refused.
[[noreturn]] void try_conveniences(Teller& teller) {
  constexpr unsigned long kFlags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  const auto tell = [&](const char* capability, Attempt attempt, const char* step, bool granted,
                        const char* loss) {
    if (granted) return teller.ok(capability);
    const int error_number = errno;
    teller.refusal(capability, State::kDegraded,
                   explain(step, attempt, error_number, read_standing()), loss);
  };
  tell("fresh-proc", Attempt::kFreshMount, "mount /proc",
       ::mount("proc", "/proc", "proc", kFlags, nullptr) == 0,
       "services see the /proc around them");
  tell("fresh-sys", Attempt::kFreshMount, "mount /sys",
       ::mount("sysfs", "/sys", "sysfs", kFlags, nullptr) == 0,
       "services see the /sys around them");
  tell("low-ports", Attempt::kSysctl, "set net.ipv4.ip_unprivileged_port_start",
       write_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0"),
       "an ordinary user's services cannot have ports below 1024");
  ::_exit(0);
}

void conveniences(Teller& teller) {
  if (kernel_has_ipv6()) {
    teller.ok("ipv6");
  } else {
    Refusal none;
    none.step = "find IPv6";
    none.error_number = EAFNOSUPPORT;
    teller.refusal("ipv6", State::kDegraded, none, "instances have IPv4 alone");
  }
  UniqueFd pidfd;
  const pid_t pid = try_clone(kServiceNamespaces, pidfd);
  if (pid == 0) try_conveniences(teller);
  if (pid > 0) ::waitpid(pid, nullptr, 0);
}

/// PID 1 of the trial's instance; the process' end is that of everything in it.
[[noreturn]] void be_trial_keeper(Teller& teller, int hold, bool optional) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  teller.essential("mounts", Attempt::kMount, [] {
    enter_own_mounts();
    mount_own_shared_memory();
    cover_name_files("127.0.0.1 localhost\n");
  });
  asio::io_context context(1);
  const bool ipv6 = kernel_has_ipv6();
  const InterfaceAddress hub{kHubAddress, 16, ipv6 ? "fd00::1" : "", 64};
  const InterfaceAddress service{kServiceAddress, 16, ipv6 ? "fd00::2" : "", 64};
  std::optional<HubNetwork> network;
  teller.essential("network", Attempt::kNetwork,
                   [&] { network.emplace(context.get_executor(), hub); });
  if (optional) conveniences(teller);

  // The sandbox follows its init until that ends: what is awaited runs beside.
  const auto await = [&](asio::awaitable<void> coroutine) {
    bool done = false;
    std::exception_ptr failure;
    asio::co_spawn(context, std::move(coroutine), [&](std::exception_ptr error) {
      failure = std::move(error);
      done = true;
    });
    while (!done) context.run_one();
    if (failure) std::rethrow_exception(failure);
  };
  UniqueFd nothing;
  std::optional<Sandbox> sandbox;
  teller.essential("service-namespaces", Attempt::kProcess, [&] {
    nothing = open_or_throw("/dev/null", O_RDWR);
    sandbox.emplace(context.get_executor(), kServiceNamespaces, service_plan(*nothing),
                    [](const std::string&) {});
    await(sandbox->prepared());
  });
  UniqueFd listener;
  NetworkSockets sockets;
  teller.essential("link", Attempt::kNetwork, [&] {
    sockets = sandbox->take_sockets();
    await(network->attach(0, sandbox->pid(), std::move(sockets.route), *sockets.ipv6, service));
    listener = listen_in(*sandbox);  // it is entered, as one that has ended is
  });
  teller.essential("listening-sockets", Attempt::kNetwork,
                   [&] { expect_listener(SocketDiag(std::move(sockets.diagnosis))); });
  teller.essential("traffic", Attempt::kNetwork, [&] { connect_from_hub(*listener); });
  teller.essential("program", Attempt::kOther, [&] {
    std::optional<LaunchFailure> failure;
    const auto start = [&]() -> asio::awaitable<void> {
      const auto launched = co_await sandbox->launch();
      if (const auto* refused = std::get_if<LaunchFailure>(&launched)) failure = *refused;
    };
    await(start());
    if (failure) throw SystemError(failure->error_number, describe(failure->step));
  });
  teller.number(TrialRecord::Kind::kJoinable, 0);
  char ignored = 0;
  (void)!::read(hold, &ignored, 1);
  ::_exit(0);
}

/// Which capability a step of enter_new_namespaces() belongs to.
const char* capability_of(Attempt attempt) {
  switch (attempt) {
    case Attempt::kUserNamespace:
    case Attempt::kIdMap:
      return "user-namespace";
    default:
      return "namespaces";
  }
}

}  // namespace

void be_trial(UniqueFd report, UniqueFd hold, bool optional) {
  Teller teller(*report);
  teller.essential("processes", Attempt::kFork, [] {
    if (!try_pidfd_open(::getpid())) throw_errno("open a pidfd");
  });
  const Machine before = read_machine();
  if (before.root && !needs_no_user_namespace()) {
    Refusal none;
    none.step = "find CAP_SYS_ADMIN and CAP_NET_ADMIN";
    none.error_number = EPERM;
    none.cause = {Cause::Kind::kMissingCapability,
                  before.has(CAP_SYS_ADMIN) ? "NET_ADMIN" : "SYS_ADMIN"};
    teller.refusal("root-privileges", State::kRefused, none);
  }
  if (before.root && needs_no_user_namespace()) teller.ok("root-privileges");
  if (!before.root) teller.untried("root-privileges", "an ordinary user has none");
  teller.begin("user-namespace");
  const std::variant<Rung, Refusal> entered = try_enter_new_namespaces();
  if (const auto* refusal = std::get_if<Refusal>(&entered)) {
    const std::string capability = capability_of(refusal->attempt);
    if (capability != "user-namespace") teller.ok("user-namespace");
    teller.refusal(capability_of(refusal->attempt), State::kRefused, *refusal);
    ::_exit(0);
  }
  const Rung rung = std::get<Rung>(entered);
  if (rung == Rung::kRoot) {
    teller.untried("user-namespace", "root needs none");
  } else {
    teller.ok("user-namespace");
  }
  teller.ok("namespaces");
  teller.number(TrialRecord::Kind::kRung, static_cast<int>(rung));

  // The first process in the new PID namespace is the keeper.
  teller.begin("processes");
  const pid_t keeper = ::fork();
  if (keeper == 0) be_trial_keeper(teller, *hold, optional);
  if (keeper < 0) {
    const int error_number = errno;
    teller.refuse("processes", Attempt::kFork, SystemError(error_number, "fork the keeper"));
  }
  teller.ok("processes");
  teller.number(TrialRecord::Kind::kKeeper, keeper);
  int status = 0;
  while (::waitpid(keeper, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) teller.number(TrialRecord::Kind::kKilled, WTERMSIG(status));
  ::_exit(0);
}

Finding join_trial(pid_t keeper) {
  Finding finding;
  finding.capability = "join";
  const auto refused = [&](const std::string& step, Attempt attempt, int error_number) {
    const Refusal refusal = explain(step, attempt, error_number, read_standing());
    finding.state = State::kRefused;
    finding.step = refusal.step;
    finding.error_number = refusal.error_number;
    finding.cause = refusal.cause;
    return finding;
  };
  try {
    const UniqueFd pidfd = try_pidfd_open(keeper);
    if (!pidfd) throw_errno("open a pidfd of the keeper");
    join_namespaces(*pidfd);
  } catch (const SystemError& error) {
    return refused(error.operation(), Attempt::kJoin, error.error_number());
  }
  UniqueFd command;
  const pid_t pid = try_clone_nested(kCommandNamespaces, command);
  if (pid == 0) ::_exit(0);
  if (pid < 0) return refused("clone a command into the instance", Attempt::kProcess, errno);
  siginfo_t ended{};
  ::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(*command), &ended, WEXITED);
  finding.state = State::kOk;
  return finding;
}

}  // namespace isoenv
