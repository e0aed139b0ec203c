#include "process/foreground.h"

#include <fcntl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <csignal>
#include <exception>
#include <list>
#include <optional>
#include <string>

#include "base/error.h"
#include "process/process_tree.h"
#include "process/sandbox.h"

namespace isoenv {
namespace {

namespace asio = boost::asio;

constexpr int kPassedOn[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGCONT, SIGWINCH};

/// Blocks the signals to pass on and reads them from a descriptor instead (signalfd(2)).
UniqueFd open_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : kPassedOn) ::sigaddset(&signals, signal);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) throw_errno("open a signal descriptor");
  return fd;
}

/// The terminal has sent it to the program too (SI_KERNEL): to the whole foreground process group,
/// but a hang-up to the leader of the session alone, which passes it on (__tty_hangup,
/// tty_jobctrl.c).
bool has_been_sent_to_all(const signalfd_siginfo& info) {
  const bool to_leader_alone = info.ssi_signo == SIGHUP && ::getsid(0) == ::getpid();
  return info.ssi_code == SI_KERNEL && !to_leader_alone;
}

/// A program that has the terminal goes on when it gets it back: `fg`, and not `bg`.
bool is_in_background(bool has_terminal) {
  return has_terminal && ::tcgetpgrp(STDIN_FILENO) != ::getpgrp();
}

asio::awaitable<void> pass_signals(asio::posix::stream_descriptor& signals, Sandbox& sandbox,
                                   bool has_terminal, const bool& launching) {
  boost::system::error_code error;
  while (!error) {
    signalfd_siginfo info{};
    while (::read(signals.native_handle(), &info, sizeof info) == sizeof info) {
      // What is not launched yet was sent nothing. The news that it runs would be too late: a
      // program can have asked for its interrupt by then.
      const bool late = launching && has_been_sent_to_all(info);
      if (late || (info.ssi_signo == SIGCONT && is_in_background(has_terminal))) continue;
      sandbox.signal(static_cast<int>(info.ssi_signo));
    }
    co_await signals.async_wait(asio::posix::stream_descriptor::wait_read,
                                asio::redirect_error(asio::use_awaitable, error));
  }
}

asio::awaitable<void> end_with(asio::posix::stream_descriptor& owner, Sandbox& sandbox) {
  boost::system::error_code error;
  co_await owner.async_wait(asio::posix::stream_descriptor::wait_read,
                            asio::redirect_error(asio::use_awaitable, error));
  if (!error) sandbox.kill();
}

/// The group that has the terminal gets it back.
class TerminalLoan {
 public:
  explicit TerminalLoan(bool lent) : group_(lent ? ::tcgetpgrp(STDIN_FILENO) : -1) {}
  TerminalLoan(const TerminalLoan&) = delete;
  TerminalLoan& operator=(const TerminalLoan&) = delete;
  ~TerminalLoan() { take_back(); }

  void take_back() const {
    if (group_ <= 0) return;
    ::signal(SIGTTOU, SIG_IGN);
    ::tcsetpgrp(STDIN_FILENO, group_);
    ::signal(SIGTTOU, SIG_DFL);
  }

 private:
  pid_t group_;
};

/// Stands still with the program, for the shell above to see; that shell's SIGCONT is passed on.
asio::awaitable<void> stop_with(Sandbox& sandbox, const TerminalLoan& loan) {
  for (;;) {
    const bool stopped = co_await sandbox.stopped();
    if (!stopped) break;
    loan.take_back();
    ::raise(SIGSTOP);
  }
}

/// Where no PID namespace ends with init, what outlives an init that was killed falls to us.
class Orphanage {
 public:
  explicit Orphanage(bool open) : open_(open) {
    if (!open_) return;
    adopt_orphans();
    // A shell may have had children before it became this program: they are not ours to end.
    siginfo_t any{};
    const bool has_children = ::waitid(P_ALL, 0, &any, WEXITED | WNOHANG | WNOWAIT) == 0;
    if (has_children) before_ = processes_below(::getpid());
  }

  void end_orphans() const {
    if (open_) end_descendants(before_);
  }

 private:
  bool open_;
  std::vector<pid_t> before_;
};

/// Also when init was ended before it could tell anything: then as killed.
asio::awaitable<ExitStatus> run(Sandbox& sandbox, const std::string& program,
                                const std::string& directory, bool& launching) {
  std::exception_ptr refused;
  std::optional<std::variant<pid_t, LaunchFailure>> launched;
  try {
    co_await sandbox.prepared();
    launching = true;
    launched = co_await sandbox.launch();
  } catch (const SandboxEnded&) {  // exited() tells
  } catch (const Error&) {
    refused = std::current_exception();
  }
  if (refused) {
    co_await sandbox.gone();  // the caller may try something else: nothing half made is left
    std::rethrow_exception(refused);
  }
  const auto* failure = launched ? std::get_if<LaunchFailure>(&*launched) : nullptr;
  if (failure != nullptr) {
    throw Error(describe(*failure, program, directory), ExitCode::kOwnFailure);
  }
  const ExitStatus status = co_await sandbox.exited();
  co_await sandbox.gone();
  co_return status;
}

}  // namespace

ForegroundEnd run_in_foreground(std::uint64_t namespaces, Birth birth, InitPlan plan,
                                const std::vector<int>& owners) {
  const std::string program = plan.program.argv.front();
  const std::string directory = plan.program.working_directory;
  // In a PID namespace that was joined, orphans fall to its own init.
  const Orphanage orphanage(plan.ends_tree && birth == Birth::kInOwn);
  const bool has_terminal = plan.takes_terminal;
  const TerminalLoan loan(has_terminal);
  asio::io_context context(1);
  asio::posix::stream_descriptor signals(context, open_signals().release());
  Sandbox sandbox(
      context.get_executor(), namespaces, std::move(plan), [](const std::string&) {}, birth);
  // The init of the namespace that was joined cannot end before its dead are reaped, and whoever
  // stands still, as after Ctrl-Z, reaps none: the kernel does (wait(2), pid_namespaces(7)).
  if (birth == Birth::kInJoined) ::signal(SIGCHLD, SIG_IGN);
  bool launching = false;
  asio::co_spawn(context, pass_signals(signals, sandbox, has_terminal, launching), asio::detached);
  if (has_terminal) asio::co_spawn(context, stop_with(sandbox, loan), asio::detached);
  std::list<asio::posix::stream_descriptor> ends;
  for (const int owner : owners) {
    ends.emplace_back(context, ::fcntl(owner, F_DUPFD_CLOEXEC, 3));
    asio::co_spawn(context, end_with(ends.back(), sandbox), asio::detached);
  }
  std::optional<ExitStatus> status;
  std::exception_ptr failure;
  asio::co_spawn(context, run(sandbox, program, directory, launching),
                 [&](std::exception_ptr error, ExitStatus ended) {
                   failure = error;
                   status = ended;
                   context.stop();
                 });
  context.run();
  if (sandbox.init_killed()) orphanage.end_orphans();
  if (failure) std::rethrow_exception(failure);
  return {*status, !sandbox.exit_reported()};
}

}  // namespace isoenv
