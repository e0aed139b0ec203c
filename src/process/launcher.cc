#include "process/launcher.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/process/v2/posix/default_launcher.hpp>
#include <boost/process/v2/posix/vfork_launcher.hpp>
#include <boost/process/v2/process.hpp>
#include <cerrno>
#include <csignal>

#include "base/error.h"
#include "base/fault_injection.h"
#include "base/syscall.h"

namespace isoenv {
namespace {

namespace asio = boost::asio;
namespace process = boost::process::v2;

/// Runs between fork and exec, in the child: system calls only.
struct ChildSteps {
  const Program& program;
  pid_t parent;
  /// Why they ended: the parent of a vfork(2) finds it there, whose memory it is. Volatile, since
  /// by what the compiler knows nothing that is written in a child comes to the parent.
  volatile LaunchFailure& failure;

  bool fail(Step step) const noexcept {
    failure.step = step;
    failure.error_number = errno;
    return false;
  }

  static void give_pipe(int fd, const Account& account) noexcept {
    struct stat status {};
    if (::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode)) {
      (void)!::fchown(fd, account.uid, account.gid);
    }
  }

  bool set_open_files() const noexcept {
    if (program.open_files == 0) return true;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
    limit.rlim_cur = program.open_files;
    return ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
  }

  /// A change of user clears it (prctl(2)), so it comes after that.
  bool die_with_parent() const noexcept {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return false;
    if (::getppid() == parent) return true;
    errno = ESRCH;  // it had ended before that took effect
    return false;
  }

  /// False: `failure` says what could not be done.
  bool take() const noexcept {
    if (program.new_session && ::setsid() < 0) return fail(Step::kSession);
    for (int target = 0; target < 3; ++target) {
      const int source = program.stdio[static_cast<std::size_t>(target)];
      if (source != target && ::dup2(source, target) < 0) return fail(Step::kStandardStreams);
    }
    if (program.account) {
      // Programs that open /dev/stdout open the pipe anew, as themselves.
      for (const int fd : {1, 2}) give_pipe(fd, *program.account);
      if (!become_account(*program.account)) return fail(Step::kAccount);
    } else if (program.bound_capabilities && !drop_capabilities()) {
      return fail(Step::kPrivileges);
    }
    if (program.debugs) keep_debugging_capabilities();
    // Beyond this point it has the rights of the program and no others.
    if (!program.working_directory.empty() && ::chdir(program.working_directory.c_str()) != 0) {
      return fail(Step::kWorkingDirectory);
    }
    if (!program.must_reach.empty() && ::access(program.must_reach.c_str(), W_OK | X_OK) != 0) {
      return fail(Step::kTemporaryDirectory);
    }
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail(Step::kPrivileges);
    if (!set_open_files()) return fail(Step::kOpenFiles);
    if (program.dies_with_parent && !die_with_parent()) return fail(Step::kLifetime);
    // Everything above 2 is closed by the exec itself (CLOSE_RANGE_CLOEXEC, Linux 5.11).
    ::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
    ::signal(SIGPIPE, SIG_DFL);
    ::signal(SIGXFSZ, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    return true;
  }
};

/// The same as Boost calls it.
struct BoostSteps {
  ChildSteps steps;

  template <typename Launcher>
  process::error_code on_exec_setup(Launcher&, const process::filesystem::path&,
                                    const char* const*) const noexcept {
    if (!steps.take()) ::_exit(127);
    return {};
  }

  template <typename Launcher>
  void on_exec_error(Launcher&, const process::filesystem::path&, const char* const*,
                     const process::error_code& error) const noexcept {
    errno = error.value();
    (void)steps.fail(Step::kExec);
    ::_exit(127);
  }

  /// Never called: Boost 1.81 calls the form above only when this one could be called.
  template <typename Launcher>
  void on_exec_error(Launcher&, const process::error_code&, const process::filesystem::path&,
                     const char* const*, const process::error_code&) const noexcept;
};

/// What execve(2) takes of a program: pointers into it.
struct ExecArguments {
  explicit ExecArguments(const Program& program) : env(program.env.pointers()) {
    argv.reserve(program.argv.size() + 1);
    for (const std::string& argument : program.argv) argv.push_back(argument.c_str());
    argv.push_back(nullptr);
  }

  /// Returns with errno when it cannot.
  void execute(const std::string& executable) const noexcept {
    ::execve(executable.c_str(), const_cast<char* const*>(argv.data()),
             const_cast<char* const*>(env.data()));
  }

  std::vector<const char*> argv;
  std::vector<const char*> env;
};

/// 0 when the file can be executed; EACCES only when it is there and cannot.
int executable_error(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return errno == EACCES ? ENOENT : errno;
  if (S_ISDIR(status.st_mode)) return EISDIR;
  return ::access(path.c_str(), X_OK) == 0 ? 0 : errno;
}

}  // namespace

const char* describe(Step step) noexcept {
  switch (step) {
    case Step::kNone:
      return "nothing";
    case Step::kSettle:
      return "settle in namespaces of its own";
    case Step::kSockets:
      return "open sockets in a network namespace of its own";
    case Step::kHostname:
      return "set the host name";
    case Step::kMountProc:
      return "mount /proc";
    case Step::kMountSys:
      return "mount /sys";
    case Step::kLowPorts:
      return "allow ports below 1024";
    case Step::kProtectSettings:
      return "make the machine's settings read-only";
    case Step::kLifetime:
      return "bind its life to its parent's";
    case Step::kTerminal:
      return "take the terminal";
    case Step::kSession:
      return "start a session";
    case Step::kStandardStreams:
      return "set up the standard streams";
    case Step::kWorkingDirectory:
      return "change to the working directory";
    case Step::kPrivileges:
      return "give up privileges";
    case Step::kAccount:
      return "change to the account for";
    case Step::kTemporaryDirectory:
      return "reach the TMPDIR of";
    case Step::kOpenFiles:
      return "set the limit of open files";
    case Step::kExec:
      return "execute";
    case Step::kFork:
      return "fork";
  }
  return "start";
}

std::string describe(const LaunchFailure& failure, const std::string& program,
                     const std::string& working_directory) {
  const bool about_directory = failure.step == Step::kWorkingDirectory;
  std::string text = "cannot " + std::string(describe(failure.step)) + " '" +
                     (about_directory ? working_directory : program) +
                     "': " + errno_text(failure.error_number);
  if (failure.step == Step::kExec && failure.error_number == ENOENT) {
    text += "; the interpreter named in its first line does not exist";
  }
  return text;
}

std::variant<pid_t, LaunchFailure> launch(const Program& program) try {
  if (const int fault = injected_fault(Call::kVfork); fault != 0)
    return LaunchFailure{Step::kFork, fault};
  ExecArguments arguments(program);
  volatile LaunchFailure failure;
  asio::io_context context(1);
  // vfork(2): the child shares our memory until it executes. ChildSteps makes system calls only,
  // and this context has nothing that a fork could disturb.
  process::posix::vfork_launcher launcher;
  launcher.env = arguments.env.data();
  process::error_code error;
  process::process started =
      launcher(context.get_executor(), error, program.executable, arguments.argv.data(),
               BoostSteps{{program, ::getpid(), failure}});
  if (!error && started.id() > 0) {
    const auto pid = static_cast<pid_t>(started.id());
    started.detach();
    if (failure.step == Step::kNone) return pid;
  }
  if (launcher.pid > 0) ::waitpid(launcher.pid, nullptr, 0);  // Boost < 1.85 leaves it unreaped
  if (failure.step == Step::kNone) return LaunchFailure{Step::kFork, error.value()};
  return LaunchFailure{failure.step, failure.error_number};
} catch (const boost::system::system_error& error) {
  return LaunchFailure{Step::kFork, error.code().value()};
}

std::variant<pid_t, LaunchFailure> launch_bare(const Program& program) {
  if (const int fault = injected_fault(Call::kVfork); fault != 0)
    return LaunchFailure{Step::kFork, fault};
  const ExecArguments arguments(program);
  volatile LaunchFailure failure;
  const ChildSteps steps{program, ::getpid(), failure};
  // What posix_spawn(3) offers, which the check wants, is less than ChildSteps does.
  const pid_t pid = ::vfork();  // NOLINT(clang-analyzer-security.insecureAPI.vfork)
  if (pid < 0) return LaunchFailure{Step::kFork, errno};
  if (pid == 0) {
    if (steps.take()) {
      arguments.execute(program.executable);
      (void)steps.fail(Step::kExec);
    }
    ::_exit(127);
  }
  if (failure.step == Step::kNone) return pid;
  ::waitpid(pid, nullptr, 0);
  return LaunchFailure{failure.step, failure.error_number};
}

std::variant<pid_t, LaunchFailure> launch_held(const Program& program, UniqueFd& outcome) {
  Pipe pipe;
  try {
    pipe = make_pipe();
  } catch (const SystemError& error) {
    return LaunchFailure{Step::kFork, error.error_number()};
  }
  const ExecArguments arguments(program);
  LaunchFailure failure;
  const ChildSteps steps{program, ::getpid(), failure};
  const pid_t pid = ::fork();  // not vfork(2): the parent goes on while the child stands still
  if (pid < 0) return LaunchFailure{Step::kFork, errno};
  if (pid == 0) {
    if (steps.take()) {
      ::raise(SIGSTOP);
      arguments.execute(program.executable);
      (void)steps.fail(Step::kExec);
    }
    (void)!::write(*pipe.write, &failure, sizeof failure);
    ::_exit(127);
  }
  pipe.write.reset();
  // A SIGCONT before it has stopped would be lost.
  int status = 0;
  while (::waitpid(pid, &status, WUNTRACED) < 0 && errno == EINTR) {
  }
  if (!WIFSTOPPED(status)) {
    failure = {Step::kExec, ECHILD};
    (void)!::read(*pipe.read, &failure, sizeof failure);
    return failure;
  }
  outcome = std::move(pipe.read);
  return pid;
}

void become(const Program& program) {
  ::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
  ExecArguments(program).execute(program.executable);
  throw_errno("execute", program.executable);
}

std::variant<std::string, ProgramNotFound> find_program(
    const std::string& name, std::string_view path,
    const std::filesystem::path& working_directory) {
  if (name.find('/') != std::string::npos) {
    const std::string candidate = (working_directory / name).lexically_normal().string();
    const int error_number = executable_error(candidate);
    if (error_number == 0) return candidate;
    if (error_number == EISDIR) return ProgramNotFound{"'" + candidate + "' is a directory"};
    if (error_number == EACCES) return ProgramNotFound{"'" + candidate + "' is not executable"};
    return ProgramNotFound{"'" + candidate + "': " + errno_text(error_number)};
  }
  std::string refused;
  std::string_view rest = path;
  for (;;) {
    const std::size_t colon = rest.find(':');
    const std::filesystem::path folder = rest.substr(0, colon);
    const std::string candidate = (working_directory / folder / name).string();
    const int error_number = executable_error(candidate);
    if (error_number == 0) return candidate;
    if (error_number == EACCES && refused.empty()) refused = candidate;
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
  }
  if (!refused.empty()) return ProgramNotFound{"'" + refused + "' is not executable"};
  return ProgramNotFound{"no program '" + name + "' in PATH=" + std::string(path)};
}

}  // namespace isoenv
