#include "process/sandbox.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include "base/error.h"
#include "base/event.h"
#include "base/syscall.h"
#include "netns/refusal.h"
#include "process/process_tree.h"

namespace isoenv {

namespace asio = boost::asio;

const std::uint64_t kServiceNamespaces =
    CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS;
const std::uint64_t kCommandNamespaces = CLONE_NEWPID | CLONE_NEWNS;

struct Sandbox::State {
  State(asio::any_io_executor executor, int control_fd)
      : control(executor, control_fd), process(executor), changed(executor) {}

  asio::posix::stream_descriptor control;
  asio::posix::stream_descriptor process;  // init's pidfd, once it is born
  Event changed;
  Note note;
  pid_t pid = 0;
  pid_t program = 0;       // its pid in our PID namespace, 0: unknown
  bool born = false;       // it has said so
  int unborn = 0;          // errno: why there is no init
  bool doomed = false;     // to be killed when it is born
  bool ends_tree = false;  // init has no PID namespace that ends with it
  bool init_killed = false;
  bool exit_reported = false;
  bool prepared = false;
  bool reaped = false;
  NetworkSockets sockets;
  std::optional<LaunchFailure> setup_failure;
  std::optional<std::variant<pid_t, LaunchFailure>> launched;
  unsigned stops = 0;  // of the program, not yet told
  bool released = false;
  std::optional<LaunchFailure> release_failure;
  std::optional<ExitStatus> exit;
  std::optional<ProbeCommandResult> probe;
  unsigned signals_to_all = 0;  // asked for, and not yet carried out

  void apply(const InitReport& report);
  ssize_t receive(InitReport& report);
  void adopt_sockets(cmsghdr* header);
  void adopt_born(pid_t child);
  void adopt(pid_t child, UniqueFd pidfd);
  void kill() noexcept;
  bool request(InitRequest::Kind kind, int value = 0) noexcept;
  static asio::awaitable<void> follow(std::shared_ptr<State> state);
};

void Sandbox::State::apply(const InitReport& report) {
  switch (report.kind) {
    case InitReport::Kind::kBorn:
      born = true;
      if (report.step != Step::kNone) setup_failure = LaunchFailure{report.step, report.value};
      break;
    case InitReport::Kind::kUnborn:
      unborn = report.value;
      break;
    case InitReport::Kind::kNote:
      note(std::string("cannot ") + describe(report.step) + ": " + errno_text(report.value));
      break;
    case InitReport::Kind::kSetupFailed:
      setup_failure = LaunchFailure{report.step, report.value};
      break;
    case InitReport::Kind::kPrepared:
      prepared = true;
      break;
    case InitReport::Kind::kStarted:
      launched = static_cast<pid_t>(report.value);
      break;
    case InitReport::Kind::kReleased:
      released = true;
      break;
    case InitReport::Kind::kLaunchFailed:
      if (launched) {  // it was held
        release_failure = LaunchFailure{report.step, report.value};
        break;
      }
      launched = LaunchFailure{report.step, report.value};
      break;
    case InitReport::Kind::kStopped:
      ++stops;
      break;
    case InitReport::Kind::kExited:
      exit = ExitStatus::from_wait(report.value);
      exit_reported = true;
      break;
    case InitReport::Kind::kSignalledAll:
      --signals_to_all;
      break;
    case InitReport::Kind::kProbeStarted:
      break;
    case InitReport::Kind::kProbeFailed:
      probe = ProbeCommandResult{
          true,
          {},
          std::string("cannot ") + describe(report.step) + ": " + errno_text(report.value)};
      break;
    case InitReport::Kind::kProbeExited:
      probe = ProbeCommandResult{true, ExitStatus::from_wait(report.value), ""};
      break;
  }
}

bool Sandbox::State::request(InitRequest::Kind kind, int value) noexcept {
  const InitRequest message{kind, value};
  return ::send(control.native_handle(), &message, sizeof message, MSG_NOSIGNAL) ==
         static_cast<ssize_t>(sizeof message);
}

void Sandbox::State::adopt(pid_t child, UniqueFd pidfd) {
  pid = child;
  process.assign(pidfd.release());
  if (doomed) kill();
}

/// The kernel tells who sent a report, by its pid in our PID namespace (SCM_CREDENTIALS, unix(7)).
ssize_t Sandbox::State::receive(InitReport& report) {
  iovec part{&report, sizeof report};
  alignas(cmsghdr) char attached[CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(sizeof(int[3]))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = attached;
  message.msg_controllen = sizeof attached;
  const ssize_t length =
      ::recvmsg(control.native_handle(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (length != static_cast<ssize_t>(sizeof report)) return length;
  ucred sender{};
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_type == SCM_CREDENTIALS) {
      std::memcpy(&sender, CMSG_DATA(header), sizeof sender);
    } else if (header->cmsg_type == SCM_RIGHTS) {
      adopt_sockets(header);
    }
  }
  if ((message.msg_flags & MSG_CTRUNC) != 0)  // of descriptors nothing else is left out (unix(7))
    report = {report.kind, Step::kSockets, EMFILE};
  if (report.kind == InitReport::Kind::kBorn && pid == 0) adopt_born(sender.pid);
  if (report.kind == InitReport::Kind::kStarted) {
    if (sender.pid != pid) program = sender.pid;
    if (ends_tree) program = static_cast<pid_t>(report.value);
  }
  return length;
}

void Sandbox::State::adopt_sockets(cmsghdr* header) {
  int received[3] = {-1, -1, -1};
  std::memcpy(received, CMSG_DATA(header),
              std::min(sizeof received, header->cmsg_len - CMSG_LEN(0)));
  sockets.route.reset(received[0]);
  sockets.diagnosis.reset(received[1]);
  sockets.ipv6.reset(received[2]);
}

/// Of what the zygote has cloned: it cannot be another's pid, since nobody else reaps our child.
void Sandbox::State::adopt_born(pid_t child) {
  UniqueFd pidfd;
  if (child > 0) pidfd = try_pidfd_open(child);
  if (pidfd) {
    adopt(child, std::move(pidfd));
    return;
  }
  unborn = errno;  // nobody could follow it
  if (child > 0) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
}

/// Reads init's reports until it has ended, then reaps it. Keeps the state alive that long.
asio::awaitable<void> Sandbox::State::follow(std::shared_ptr<State> state) {
  boost::system::error_code error;
  for (;;) {
    InitReport report;
    const ssize_t length = state->receive(report);
    if (length == static_cast<ssize_t>(sizeof report)) {
      state->apply(report);
      state->changed.notify_all();
      continue;
    }
    if (length >= 0 || (errno != EAGAIN && errno != EINTR)) break;
    co_await state->control.async_wait(asio::posix::stream_descriptor::wait_read,
                                       asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
  }
  state->init_killed = true;
  if (state->process.is_open()) {
    if (!error) {
      co_await state->process.async_wait(asio::posix::stream_descriptor::wait_read,
                                         asio::redirect_error(asio::use_awaitable, error));
    }
    siginfo_t ended{};
    ::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(state->process.native_handle()),
             &ended, WEXITED);
    state->init_killed = ended.si_code != CLD_EXITED;
  }
  if (!state->exit) state->exit = ExitStatus{0, SIGKILL, false};
  if (state->probe == std::nullopt) {
    state->probe = ProbeCommandResult{true, {}, "the service ended"};
  }
  state->reaped = true;
  state->changed.notify_all();
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): what is cloned has a copy of its own anyway.
Sandbox::Sandbox(asio::any_io_executor executor, std::uint64_t namespaces, InitPlan plan, Note note,
                 Birth birth, Zygote* zygote) {
  SocketPair control = make_seqpacket_pair();
  state_ = std::make_shared<State>(executor, control.first.release());
  state_->ends_tree = plan.ends_tree;
  state_->note = std::move(note);
  const int on = 1;
  const bool tells_senders =
      ::setsockopt(state_->control.native_handle(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0;
  if (zygote == nullptr || !tells_senders ||
      !zygote->clone_init(namespaces, plan, *control.second)) {
    UniqueFd pidfd;
    const pid_t pid = birth == Birth::kInJoined ? try_clone_nested(namespaces, pidfd)
                                                : try_clone(namespaces, pidfd);
    if (pid < 0) refuse("clone a process into new namespaces", Attempt::kProcess);
    if (pid == 0) {
      report_born(plan.passes_sockets, *control.second);
      run_init(std::move(plan), std::move(control.second));
    }
    state_->adopt(pid, std::move(pidfd));
  }
  control.second.reset();
  asio::co_spawn(executor, State::follow(state_), asio::detached);
}

Sandbox::~Sandbox() {
  if (state_) kill();
}
Sandbox::Sandbox(Sandbox&&) noexcept = default;
Sandbox& Sandbox::operator=(Sandbox&&) noexcept = default;

asio::awaitable<void> Sandbox::born() {
  const auto state = state_;
  while (!state->born && state->unborn == 0 && !state->reaped) co_await state->changed.wait();
  if (state->unborn != 0) {
    errno = state->unborn;
    refuse("clone a process into new namespaces", Attempt::kProcess);
  }
  if (state->pid == 0) throw Error("isoenv-zygote, which clones services' inits, was killed");
}

NetworkSockets Sandbox::take_sockets() {
  if (const auto& failure = state_->setup_failure)
    throw SystemError(failure->error_number, describe(failure->step));
  return std::move(state_->sockets);
}

pid_t Sandbox::pid() const noexcept { return state_->pid; }
int Sandbox::pidfd() const noexcept { return state_->process.native_handle(); }
bool Sandbox::has_exited() const noexcept { return state_->exit.has_value(); }
bool Sandbox::exit_reported() const noexcept { return state_->exit_reported; }
bool Sandbox::init_killed() const noexcept { return state_->init_killed; }

asio::awaitable<void> Sandbox::prepared() {
  const auto state = state_;
  while (!state->prepared && !state->setup_failure && !state->reaped) {
    co_await state->changed.wait();
  }
  if (state->setup_failure) {
    throw SystemError(state->setup_failure->error_number, describe(state->setup_failure->step));
  }
  if (!state->prepared) throw SandboxEnded("the sandbox's init process was killed while it set up");
}

asio::awaitable<std::variant<pid_t, LaunchFailure>> Sandbox::launch() {
  const auto state = state_;
  state->request(InitRequest::Kind::kLaunch);
  while (!state->launched && !state->reaped) co_await state->changed.wait();
  if (!state->launched) throw SandboxEnded("the sandbox's init process was killed");
  co_return *state->launched;
}

asio::awaitable<std::variant<pid_t, LaunchFailure>> Sandbox::launch_held() {
  const auto state = state_;
  state->request(InitRequest::Kind::kLaunch, 1);
  while (!state->launched && !state->reaped) co_await state->changed.wait();
  if (!state->launched) throw SandboxEnded("the sandbox's init process was killed");
  co_return *state->launched;
}

std::int64_t Sandbox::program_host_pid() const {
  const UniqueFd process = state_->program > 0 ? try_pidfd_open(state_->program) : UniqueFd();
  return process ? host_pid(*process) : 0;
}

asio::awaitable<std::optional<LaunchFailure>> Sandbox::released() {
  const auto state = state_;
  while (!state->released && !state->release_failure && !state->exit) {
    co_await state->changed.wait();
  }
  co_return state->release_failure;
}

asio::awaitable<bool> Sandbox::stopped() {
  const auto state = state_;
  while (state->stops == 0 && !state->exit) co_await state->changed.wait();
  if (state->exit) co_return false;
  --state->stops;
  co_return true;
}

asio::awaitable<ExitStatus> Sandbox::exited() {
  const auto state = state_;
  while (!state->exit) co_await state->changed.wait();
  co_return *state->exit;
}

void Sandbox::signal(int number) noexcept { state_->request(InitRequest::Kind::kSignal, number); }

void Sandbox::signal_all(int number) noexcept {
  if (state_->request(InitRequest::Kind::kSignalAll, number)) ++state_->signals_to_all;
}

asio::awaitable<void> Sandbox::all_signalled() {
  const auto state = state_;
  while (state->signals_to_all > 0 && !state->reaped) co_await state->changed.wait();
}

void Sandbox::State::kill() noexcept {
  if (reaped) return;
  if (!process.is_open()) {
    doomed = true;
    return;
  }
  try_pidfd_send_signal(process.native_handle(), ends_tree ? kEndSignal : SIGKILL);
  if (ends_tree) try_pidfd_send_signal(process.native_handle(), SIGCONT);
}

void Sandbox::kill() noexcept { state_->kill(); }

asio::awaitable<void> Sandbox::gone() {
  const auto state = state_;
  while (!state->reaped) co_await state->changed.wait();
}

asio::awaitable<ProbeCommandResult> Sandbox::run_probe(std::size_t index,
                                                       std::chrono::milliseconds timeout) {
  const auto state = state_;
  state->probe.reset();
  asio::steady_timer deadline(co_await asio::this_coro::executor, timeout);
  bool late = false;
  deadline.async_wait([state, &late](const boost::system::error_code& cancelled) {
    if (cancelled) return;
    late = true;
    state->request(InitRequest::Kind::kKillProbe);
  });
  if (state->reaped || !state->request(InitRequest::Kind::kProbe, static_cast<int>(index))) {
    co_return ProbeCommandResult{true, {}, "the service ended"};
  }
  while (!state->probe) co_await state->changed.wait();
  ProbeCommandResult result = *state->probe;
  result.finished = !late;
  co_return result;
}

}  // namespace isoenv
