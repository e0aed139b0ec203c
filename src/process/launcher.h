// The one place where IsoEnv starts programs: by Boost.Process v2, and in an init by vfork(2)
// alone.
//
// The calling process must be single-threaded and already inside the namespaces the program is to
// live in; the program becomes its child. It starts with descriptors 0, 1, 2 and no other, no
// signal blocked, SIGPIPE and SIGXFSZ at their default, and no_new_privs. Never a shell: argv
// arrays only.
#pragma once

#include <sys/types.h>

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/string_block.h"
#include "base/unique_fd.h"
#include "process/privileges.h"

namespace isoenv {

struct Program {
  std::string executable;  ///< resolved path
  std::vector<std::string> argv;
  StringBlock env;                    ///< `NAME=value`
  std::string working_directory;      ///< "" = the caller's
  std::array<int, 3> stdio{0, 1, 2};  ///< each either its own number or above 2
  unsigned long open_files = 0;       ///< soft limit of open files to start with; 0 = the caller's
  bool new_session = false;           ///< setsid(2): no controlling terminal, own process group
  bool dies_with_parent = false;      ///< killed when the launching process ends (PR_SET_PDEATHSIG)
  bool bound_capabilities = false;    ///< give up what a service needs not have (privileges.h)
  bool debugs = false;                ///< keep what debuggers need (keep_debugging_capabilities)
  std::optional<Account> account;     ///< become it; only root can
  std::string must_reach;             ///< a directory that it must be able to write; "" = none
};

/// What was being done when a start failed; travels between processes as a number.
enum class Step : int {
  kNone,
  kSettle,
  kSockets,
  kHostname,
  kMountProc,
  kMountSys,
  kLowPorts,
  kProtectSettings,
  kLifetime,
  kTerminal,
  kSession,
  kStandardStreams,
  kWorkingDirectory,
  kPrivileges,
  kAccount,
  kTemporaryDirectory,
  kOpenFiles,
  kExec,
  kFork,
};

/// `mount /proc`, `change to the working directory`, …
const char* describe(Step step) noexcept;

struct LaunchFailure {
  Step step = Step::kNone;
  int error_number = 0;
};

/// For people: `cannot execute 'run.sh': EACCES (Permission denied)`.
std::string describe(const LaunchFailure& failure, const std::string& program,
                     const std::string& working_directory);

/// Starts the program; returns when it has replaced its image or could not.
std::variant<pid_t, LaunchFailure> launch(const Program& program);

/// The same for an init, of which there is one beside each service: without Boost.Process, which
/// makes an epoll instance, a timer and an event descriptor for each start and touches the memory
/// of all that.
std::variant<pid_t, LaunchFailure> launch_bare(const Program& program);

/// Starts a process that has everything of the program and stops itself (SIGSTOP) where it would
/// execute it; returns when it has. SIGCONT, or a debugger, lets it go on. `outcome` is readable
/// then: at its end when the program runs, else it holds a LaunchFailure.
std::variant<pid_t, LaunchFailure> launch_held(const Program& program, UniqueFd& outcome);

/// Replaces the calling process by the program, with the caller's descriptors 0, 1 and 2 alone.
/// Throws SystemError.
[[noreturn]] void become(const Program& program);

struct ProgramNotFound {
  std::string reason;  ///< `no such program in PATH=/usr/bin:/bin`, `'/x/y' is not executable`
};

/// Finds argv[0] as the program itself would be found: with a slash relative to
/// `working_directory`, else in `path` (execvp(3)).
std::variant<std::string, ProgramNotFound> find_program(
    const std::string& name, std::string_view path, const std::filesystem::path& working_directory);

}  // namespace isoenv
