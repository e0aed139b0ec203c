#include "harness/owner.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>

#include "base/error.h"
#include "base/syscall.h"
#include "harness/process_stat.h"

namespace isoenv {
namespace {

/// The beginning of a /proc file, in one read; empty when the process has gone or is hidden. Throws
/// SystemError when we are at fault: an owner must not be missed for want of a descriptor.
std::string read_proc_file(const std::string& path) {
  std::array<char, 4096> buffer{};
  ssize_t size = -1;
  if (const UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)}) {
    size = ::read(*file, buffer.data(), buffer.size());
  }
  if (size >= 0) return {buffer.data(), static_cast<std::size_t>(size)};
  constexpr std::array kGoneOrHidden{ENOENT, ESRCH, EACCES, EPERM};
  if (std::find(kGoneOrHidden.begin(), kGoneOrHidden.end(), errno) == kGoneOrHidden.end()) {
    throw_errno("read", path);
  }
  return {};
}

/// `process` is a pid or `self`.
std::optional<ProcessStat> read_stat(const std::string& process) {
  return parse_process_stat(read_proc_file("/proc/" + process + "/stat"));
}

std::optional<ProcessStat> read_stat(pid_t pid) { return read_stat(std::to_string(pid)); }

bool has_ended(const ProcessStat& stat) { return stat.state == 'Z' || stat.state == 'X'; }

/// What ctest says to each test, cmake-env-variables(7).
constexpr char kTestVariable[] = "CTEST_INTERACTIVE_DEBUG_MODE";

/// The services and commands of an instance inherit the variable, and belong to the instance.
bool is_test_of_ctest() {
  return std::getenv(kTestVariable) != nullptr && std::getenv("ISOENV_INSTANCE") == nullptr;
}

/// True in a namespace that a test made: ctest is above, but out of sight.
bool is_first_process_a_test() {
  std::ifstream first("/proc/1/environ");
  const std::string environment{std::istreambuf_iterator<char>(first), {}};
  return environment.find(kTestVariable) != std::string::npos;
}

/// `closely`: also where an emulator or a debugger runs it, whose name the process has then.
bool is_ctest(pid_t pid, const ProcessStat& stat, bool closely) {
  if (stat.name == "ctest") return true;
  if (!closely) return false;
  const std::string command_line = read_proc_file("/proc/" + std::to_string(pid) + "/cmdline");
  const std::string_view program(command_line.c_str());  // up to the NUL after argv[0]
  return program.substr(program.rfind('/') + 1) == "ctest";
}

Owner owner_of(Owner::Kind kind, const ProcessId& process) {
  const std::optional<ProcessStat> stat = read_stat(process.pid);
  return {kind, process, stat ? stat->name : std::string()};
}

Owner explicit_owner(const std::string& choice) {
  pid_t pid = 0;
  const char* const end = choice.data() + choice.size();
  const auto [parsed_to, error] = std::from_chars(choice.data(), end, pid);
  if (error != std::errc() || parsed_to != end || pid <= 0) {
    throw Error("'" + choice + "' is not an owner", ExitCode::kUsage,
                "the owner is a process id, 'auto' or 'none'");
  }
  const std::optional<ProcessStat> stat = read_stat(pid);
  if (!stat || has_ended(*stat)) {
    throw Error("the owner, process " + choice + ", is not running", ExitCode::kUsage,
                "give the id of a running process, 'auto' or 'none'");
  }
  return {Owner::Kind::kExplicit, {pid, stat->start_time}, stat->name};
}

}  // namespace

std::optional<ProcessId> read_process(pid_t pid) {
  const std::optional<ProcessStat> stat = read_stat(pid);
  if (!stat) return std::nullopt;
  return ProcessId{pid, stat->start_time};
}

bool alive(const ProcessId& process) {
  const std::optional<ProcessStat> stat = read_stat(process.pid);
  return stat && stat->start_time == process.start_time && !has_ended(*stat);
}

std::optional<ProcessId> ctest_above() {
  const bool is_test = is_test_of_ctest();
  // The parent of the first process of a PID namespace is 0; process 1 itself may be ctest.
  for (pid_t pid = ::getppid(); pid > 0;) {
    const std::optional<ProcessStat> stat = read_stat(pid);
    if (!stat) break;
    if (!has_ended(*stat) && is_ctest(pid, *stat, is_test)) return ProcessId{pid, stat->start_time};
    pid = stat->parent;
  }
  // Without its ctest, what a test starts would belong to nobody and live for ever.
  if (is_test && !is_first_process_a_test()) throw Error("the ctest that started this has ended");
  return std::nullopt;
}

std::optional<ProcessId> terminal_leader() {
  const std::optional<ProcessStat> self = read_stat("self");
  // A leader outside this PID namespace is shown as 0.
  if (!self || self->terminal == 0 || self->session <= 0 || self->session == ::getpid()) {
    return std::nullopt;
  }
  const std::optional<ProcessStat> leader = read_stat(self->session);
  if (!leader || has_ended(*leader)) return std::nullopt;
  return ProcessId{self->session, leader->start_time};
}

Owner find_owner(const std::string& choice) {
  if (choice == "none") return {};
  if (choice != "auto") return explicit_owner(choice);
  if (const auto ctest = ctest_above()) return owner_of(Owner::Kind::kCtest, *ctest);
  if (const auto leader = terminal_leader()) return owner_of(Owner::Kind::kTerminal, *leader);
  return {};
}

UniqueFd open_pidfd(const ProcessId& process) {
  UniqueFd pidfd = try_pidfd_open(process.pid);
  if (!pidfd) {
    if (errno == ESRCH) return {};
    throw_errno("open a pidfd of process", std::to_string(process.pid));
  }
  // The pidfd pins whoever has the pid now; only the start time says whether that is the one meant.
  if (read_process(process.pid) != process) return {};
  return pidfd;
}

bool has_ended(int pidfd) {
  pollfd end{pidfd, POLLIN, 0};
  return ::poll(&end, 1, 0) > 0;
}

}  // namespace isoenv
