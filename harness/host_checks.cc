#include "harness/host_checks.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/syscall.h"
#include "base/unique_fd.h"
#include "harness/run_dir.h"

namespace isoenv {
namespace {

using State = Finding::State;

/// Descriptors of the keeper itself, and of each service (docs/performance.md).
constexpr rlim_t kKeeperFiles = 32;
constexpr rlim_t kServiceFiles = 6;
constexpr rlim_t kManyFiles = 1024;

/// `body` returns the detail, or throws what it met.
Finding tried(const char* capability, Purpose purpose, const std::function<std::string()>& body) {
  Finding finding;
  finding.capability = capability;
  finding.purpose = purpose;
  const State refused = purpose == Purpose::kOptional ? State::kDegraded : State::kRefused;
  try {
    finding.detail = body();
    finding.state = State::kOk;
  } catch (const SystemError& error) {
    finding.state = refused;
    finding.step = error.operation();
    finding.error_number = error.error_number();
    finding.cause = find_cause(Attempt::kFork, finding.step, finding.error_number, {}, {});
    if (!error.hint().empty()) finding.detail = error.hint();
  } catch (const Error& error) {
    finding.state = refused;
    finding.step = error.what();
    finding.detail = error.hint();
  }
  return finding;
}

/// A folder of our own in the run root, as an instance has one, removed with all it may hold.
class ScratchFolder {
 public:
  explicit ScratchFolder(const std::filesystem::path& root)
      : path_((root / "doctorXXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) {
      throw SystemError(errno, "create a folder in the run directory", "", ExitCode::kCannotRun,
                        "set ISOENV_RUNTIME_DIR to a folder of your own");
    }
  }
  ~ScratchFolder() {
    for (const char* name : {"control", "lease", "lease.new"}) ::unlink(file(name).c_str());
    ::rmdir(path_.c_str());
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  std::string file(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

void try_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    throw_errno("bind a unix socket in the run directory");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!listener ||
      ::bind(*listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(*listener, 1) != 0) {
    throw_errno("bind a unix socket in the run directory");
  }
  const UniqueFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!client ||
      ::connect(*client, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw_errno("connect to a unix socket in the run directory");
  }
}

std::string run_directory() {
  const std::filesystem::path root = open_run_root();
  const ScratchFolder folder(root);
  try_socket(folder.file("control"));
  const UniqueFd lease(
      ::open(folder.file("lease.new").c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!lease) throw_errno("create a file in the run directory");
  if (::flock(*lease, LOCK_EX | LOCK_NB) != 0) throw_errno("lock a file in the run directory");
  if (::rename(folder.file("lease.new").c_str(), folder.file("lease").c_str()) != 0) {
    throw_errno("rename a file in the run directory");
  }
  return root.string();
}

std::string open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) throw_errno("read the limit of open files");
  const rlim_t most = limit.rlim_max;
  if (most >= kManyFiles) return "";
  const rlim_t services = most > kKeeperFiles ? (most - kKeeperFiles) / kServiceFiles : 0;
  throw Error(
      "have more than " + std::to_string(most) + " open files", ExitCode::kCannotRun,
      "room for about " + std::to_string(services) + " services; 'ulimit -Hn' is the limit");
}

std::string timers() {
  const UniqueFd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
  if (!timer) throw_errno("create a timer");
  return "";
}

std::string file_events() {
  (void)make_inotify();
  return "";
}

std::string loopback_ports() {
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (!listener || ::bind(*listener, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::listen(*listener, 1) != 0 ||
      ::getsockname(*listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw_errno("listen on a port of 127.0.0.1");
  }
  const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!client || ::connect(*client, reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    throw_errno("connect to a port of 127.0.0.1");
  }
  return "";
}

std::string subreaper() {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) throw_errno("fork");
  if (child == 0) ::_exit(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 ? 0 : errno);
  int status = 0;
  ::waitpid(child, &status, 0);
  errno = WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
  if (errno != 0) throw_errno("become a child subreaper");
  return "";
}

std::string shared_memory() {
  const UniqueFd file(::open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file) throw_errno("create a file in /dev/shm");
  return "";
}

std::string cgroups() {
  std::ifstream own("/proc/self/cgroup");
  for (std::string line; std::getline(own, line);) {
    if (line.rfind("0::", 0) != 0) continue;
    const std::string procs = "/sys/fs/cgroup" + line.substr(3) + "/cgroup.procs";
    if (::access(procs.c_str(), W_OK) != 0) throw_errno("write the own cgroup (v2)");
    return "";
  }
  throw Error("find a cgroup (v2)", ExitCode::kCannotRun, "nothing needs it yet");
}

}  // namespace

std::vector<Finding> check_host() {
  return {tried("run-directory", Purpose::kEvery, run_directory),
          tried("timers", Purpose::kEvery, timers),
          tried("loopback-ports", Purpose::kPorts, loopback_ports),
          tried("subreaper", Purpose::kPorts, subreaper),
          tried("open-files", Purpose::kOptional, open_files),
          tried("file-events", Purpose::kOptional, file_events),
          tried("shared-memory", Purpose::kOptional, shared_memory),
          tried("cgroup-delegation", Purpose::kOptional, cgroups)};
}

}  // namespace isoenv
