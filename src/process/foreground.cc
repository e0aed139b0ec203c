#include "process/foreground.h"

#include <fcntl.h>
#include <sys/signalfd.h>
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
#include <optional>
#include <string>

#include "base/error.h"
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

asio::awaitable<void> pass_signals(asio::posix::stream_descriptor& signals, Sandbox& sandbox) {
  boost::system::error_code error;
  while (!error) {
    signalfd_siginfo info;
    while (::read(signals.native_handle(), &info, sizeof info) == sizeof info) {
      // SI_KERNEL: typed at the terminal, which has sent it to the whole process group already.
      if (info.ssi_code != SI_KERNEL) sandbox.signal(static_cast<int>(info.ssi_signo));
    }
    co_await signals.async_wait(asio::posix::stream_descriptor::wait_read,
                                asio::redirect_error(asio::use_awaitable, error));
  }
}

asio::awaitable<void> end_with_owner(asio::posix::stream_descriptor& owner, Sandbox& sandbox) {
  boost::system::error_code error;
  co_await owner.async_wait(asio::posix::stream_descriptor::wait_read,
                            asio::redirect_error(asio::use_awaitable, error));
  if (!error) sandbox.kill();
}

asio::awaitable<ExitStatus> run(Sandbox& sandbox, const std::string& program,
                                const std::string& directory) {
  co_await sandbox.prepared();
  const std::variant<pid_t, LaunchFailure> launched = co_await sandbox.launch();
  if (const auto* failure = std::get_if<LaunchFailure>(&launched)) {
    throw Error(describe(*failure, program, directory), ExitCode::kOwnFailure);
  }
  const ExitStatus status = co_await sandbox.exited();
  co_await sandbox.gone();
  co_return status;
}

}  // namespace

ExitStatus run_in_foreground(std::uint64_t namespaces, Birth birth, InitPlan plan, int owner) {
  const std::string program = plan.program.argv.front();
  const std::string directory = plan.program.working_directory;
  asio::io_context context(1);
  asio::posix::stream_descriptor signals(context, open_signals().release());
  Sandbox sandbox(
      context.get_executor(), namespaces, std::move(plan), [](const std::string&) {}, birth);
  asio::co_spawn(context, pass_signals(signals, sandbox), asio::detached);
  asio::posix::stream_descriptor owner_end(context);
  if (owner >= 0) {
    owner_end.assign(::fcntl(owner, F_DUPFD_CLOEXEC, 3));
    asio::co_spawn(context, end_with_owner(owner_end, sandbox), asio::detached);
  }
  std::optional<ExitStatus> status;
  std::exception_ptr failure;
  asio::co_spawn(context, run(sandbox, program, directory),
                 [&](std::exception_ptr error, ExitStatus ended) {
                   failure = error;
                   status = ended;
                   context.stop();
                 });
  context.run();
  if (failure) std::rethrow_exception(failure);
  return *status;
}

}  // namespace isoenv
