#include "process/init.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/fault_injection.h"
#include "base/syscall.h"
#include "process/process_tree.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace isoenv {
namespace {

class Init {
 public:
  Init(InitPlan plan, UniqueFd control) : plan_(std::move(plan)), control_(std::move(control)) {}

  [[noreturn]] void run() {
    keep_only_own_descriptors();
    bind_life_to_parent();
    if (plan_.takes_terminal) take_terminal();
    settle();
    set_up_namespaces();
    report(InitReport::Kind::kPrepared);
    serve();
  }

 private:
  void report(InitReport::Kind kind, Step step = Step::kNone, int value = 0) {
    const InitReport message{kind, step, value};
    if (::send(*control_, &message, sizeof message, MSG_NOSIGNAL) < 0) leave(1);
  }

  /// With the pid as the credentials of the message, which the kernel translates for whoever reads
  /// them (SCM_CREDENTIALS, unix(7)): outside, nobody need look for it in /proc. To name another
  /// than its own takes CAP_SYS_ADMIN.
  void report_started(pid_t pid) {
    InitReport message{InitReport::Kind::kStarted, Step::kNone, pid};
    iovec part{&message, sizeof message};
    const ucred program{pid, ::getuid(), ::getgid()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof program)] = {};
    msghdr whole{};
    whole.msg_iov = &part;
    whole.msg_iovlen = 1;
    whole.msg_control = control;
    whole.msg_controllen = sizeof control;
    cmsghdr* const header = CMSG_FIRSTHDR(&whole);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_CREDENTIALS;
    header->cmsg_len = CMSG_LEN(sizeof program);
    std::memcpy(CMSG_DATA(header), &program, sizeof program);
    if (::sendmsg(*control_, &whole, MSG_NOSIGNAL) < 0) report(message.kind, message.step, pid);
  }

  [[noreturn]] void fail(Step step) {
    report(InitReport::Kind::kSetupFailed, step, errno);
    leave(1);
  }

  [[noreturn]] void leave(int code) {
    if (plan_.ends_tree) end_descendants();
    ::_exit(code);
  }

  void keep_only_own_descriptors() {
    std::vector<int> keep = descriptors(plan_);
    keep.insert(std::upper_bound(keep.begin(), keep.end(), *control_), *control_);
    close_all_from(3, keep.data(), static_cast<int>(keep.size()));
  }

  void bind_life_to_parent() {
    ::prctl(PR_SET_NAME, "isoenv-init", 0, 0, 0);
    // What a PID namespace does for its init, which ignores every signal from inside and ends all
    // with it: without one no signal ends this process, but one asks it to end its tree.
    sigset_t waited_for;
    ::sigemptyset(&waited_for);
    ::sigaddset(&waited_for, SIGCHLD);
    sigset_t blocked = waited_for;
    if (plan_.ends_tree) {
      ::sigaddset(&waited_for, kEndSignal);
      ::sigfillset(&blocked);
      if (!adopt_orphans()) fail(Step::kLifetime);
    }
    ::sigprocmask(SIG_SETMASK, &blocked, nullptr);
    const int end = plan_.ends_tree ? kEndSignal : SIGKILL;
    if (::prctl(PR_SET_PDEATHSIG, end, 0, 0, 0) != 0) fail(Step::kLifetime);
    // The parent may have died before that took effect. getppid(2) is 0 across PID namespaces; the
    // control socket tells.
    pollfd parent{*control_, 0, 0};
    if (::poll(&parent, 1, 0) > 0 && (parent.revents & POLLHUP) != 0) ::_exit(1);
    signals_.reset(::signalfd(-1, &waited_for, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals_) fail(Step::kLifetime);
  }

  void settle() {
    if (!plan_.settle) return;
    try {
      plan_.settle();
      return;
    } catch (const SystemError& error) {
      errno = error.error_number();
    } catch (const std::exception&) {
      errno = EIO;
    }
    fail(Step::kSettle);
  }

  /// A shell asks who has the terminal, and gives it back to them when it ends: that has to be a
  /// group that it can see (tcgetpgrp(3) is 0 for one of an outer PID namespace).
  void take_terminal() {
    if (::setpgid(0, 0) != 0) fail(Step::kTerminal);
    sigset_t background;  // writes of the background stop nobody who blocks this, tcsetpgrp(3)
    ::sigemptyset(&background);
    ::sigaddset(&background, SIGTTOU);
    ::sigprocmask(SIG_BLOCK, &background, nullptr);
    if (::tcsetpgrp(STDIN_FILENO, ::getpgrp()) != 0) fail(Step::kTerminal);
  }

  void set_up_namespaces() {
    if (!plan_.hostname.empty() &&
        ::sethostname(plan_.hostname.c_str(), plan_.hostname.size()) != 0) {
      fail(Step::kHostname);
    }
    // Containers mask parts of /proc and /sys, and then the kernel refuses fresh ones
    // (mount_too_revealing, fs/namespace.c): the outer ones stay visible, nothing else changes.
    constexpr unsigned long kFlags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    if (plan_.own_proc && ::mount("proc", "/proc", "proc", kFlags, nullptr) != 0)
      note(Step::kMountProc);
    const unsigned long sys_flags = kFlags | (plan_.protect_settings ? MS_RDONLY : 0);
    if (plan_.own_sys && ::mount("sysfs", "/sys", "sysfs", sys_flags, nullptr) != 0) {
      note(Step::kMountSys);
    }
    if (plan_.low_ports && !write_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0")) {
      if (plan_.essential_low_ports) fail(Step::kLowPorts);
      note(Step::kLowPorts);
    }
    if (plan_.protect_settings) protect_settings();
  }

  /// Root writes to much of /proc by its uid alone, whatever its capabilities: core_pattern would
  /// run any program on the host. Only the network's settings are the sandbox's own.
  void protect_settings() {
    constexpr unsigned long kReadOnly =
        MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    const UniqueFd network(::open("/proc/sys/net", O_PATH | O_CLOEXEC));
    for (const char* path : {"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus",
                             "/proc/fs", "/proc/acpi", "/proc/scsi"}) {
      if (::mount(path, path, nullptr, MS_BIND, nullptr) != 0) {
        if (errno != ENOENT) note(Step::kProtectSettings);
        continue;
      }
      if (::mount(nullptr, path, nullptr, kReadOnly, nullptr) != 0) note(Step::kProtectSettings);
    }
    const std::string source = "/proc/self/fd/" + std::to_string(*network);
    if (network && ::mount(source.c_str(), "/proc/sys/net", nullptr, MS_BIND, nullptr) != 0) {
      note(Step::kProtectSettings);
    }
  }

  void note(Step step) { report(InitReport::Kind::kNote, step, errno); }

  [[noreturn]] void serve() {
    for (;;) {
      pollfd waits[] = {
          {*control_, POLLIN, 0}, {*signals_, POLLIN, 0}, {held_ ? *held_ : -1, POLLIN, 0}};
      if (::poll(waits, 3, -1) < 0) continue;  // EINTR
      if (waits[2].revents != 0) tell_release();
      if (waits[1].revents != 0) reap();
      if (waits[0].revents != 0) obey();
    }
  }

  void obey() {
    InitRequest request;
    const ssize_t length = ::recv(*control_, &request, sizeof request, MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (length != sizeof request) leave(0);  // the parent is gone
    switch (request.kind) {
      case InitRequest::Kind::kLaunch:
        program_ = request.value == 0 ? start(plan_.program, InitReport::Kind::kLaunchFailed)
                                      : start_held();
        if (program_ > 0) report_started(program_);
        for (const int signal : std::exchange(early_signals_, {})) pass_on(signal);
        give_memory_back();
        break;
      case InitRequest::Kind::kSignal:
        pass_on(request.value);
        break;
      case InitRequest::Kind::kSignalAll:
        signal_all(request.value);
        report(InitReport::Kind::kSignalledAll);
        break;
      case InitRequest::Kind::kProbe:
        probe_ = start(plan_.probes[static_cast<std::size_t>(request.value)],
                       InitReport::Kind::kProbeFailed);
        if (probe_ > 0) report(InitReport::Kind::kProbeStarted);
        break;
      case InitRequest::Kind::kKillProbe:
        if (probe_ > 0) ::kill(-probe_, SIGKILL);
        break;
    }
  }

  /// What was needed to start the program, its environment above all, is not needed to wait for it.
  void give_memory_back() {
    { const Program gone = std::move(plan_.program); }  // one assigned to would keep its room
#ifdef __GLIBC__
    ::malloc_trim(0);
#endif
  }

  /// A program that does not run yet gets it when it does.
  void pass_on(int signal) {
    // Back in the foreground, after the program had stopped.
    if (signal == SIGCONT && foreground_ > 0) (void)::tcsetpgrp(STDIN_FILENO, foreground_);
    if (program_ > 0) {
      ::kill(signalled_process(), signal);
    } else {
      early_signals_.push_back(signal);
    }
  }

  /// The kernel signals all at once, and nobody can fork meanwhile (kill(2); fork.c looks for
  /// signals under the same lock). Never as another than PID 1: -1 would be the machine.
  void signal_all(int signal) {
    if (plan_.ends_tree) {
      signal_descendants(signal);
    } else if (::getpid() == 1) {
      ::kill(-1, signal);
    }
  }

  pid_t start_held() {
    const auto outcome = launch_held(plan_.program, held_);
    if (const auto* failure = std::get_if<LaunchFailure>(&outcome)) {
      report(InitReport::Kind::kLaunchFailed, failure->step, failure->error_number);
      return 0;
    }
    return std::get<pid_t>(outcome);
  }

  /// Before it is reaped: why it ended must come before that it has.
  void tell_release() {
    LaunchFailure failure;
    const bool failed = ::read(*held_, &failure, sizeof failure) == sizeof failure;
    held_.reset();
    if (failed) {
      report(InitReport::Kind::kLaunchFailed, failure.step, failure.error_number);
    } else {
      report(InitReport::Kind::kReleased);
    }
  }

  pid_t start(const Program& program, InitReport::Kind failed) {
    const auto outcome = launch_bare(program);
    if (const auto* failure = std::get_if<LaunchFailure>(&outcome)) {
      report(failed, failure->step, failure->error_number);
      return 0;
    }
    return std::get<pid_t>(outcome);
  }

  /// The program, also behind a launcher that stays its parent; one that becomes it, or runs it
  /// within itself, is the program.
  pid_t signalled_process() const {
    if (plan_.launched_program.empty()) return program_;
    char own[32] = "";
    (void)!::readlink("/proc/self", own, sizeof own - 1);
    if (own != std::to_string(::getpid())) return program_;  // /proc counts another way
    struct stat wanted {};
    if (::stat(plan_.launched_program.c_str(), &wanted) != 0) return program_;
    for (const pid_t below : processes_below(program_)) {
      struct stat running {};
      const std::string executable = "/proc/" + std::to_string(below) + "/exe";
      if (::stat(executable.c_str(), &running) == 0 && running.st_ino == wanted.st_ino &&
          running.st_dev == wanted.st_dev) {
        return below;
      }
    }
    return program_;
  }

  /// The program may have a process group of its own, and does not know that the terminal was away.
  void tell_stop() {
    foreground_ = ::tcgetpgrp(STDIN_FILENO);
    report(InitReport::Kind::kStopped);
  }

  void reap() {
    signalfd_siginfo signal{};
    while (::read(*signals_, &signal, sizeof signal) > 0) {
      if (static_cast<int>(signal.ssi_signo) == kEndSignal) leave(0);
    }
    int status = 0;
    pid_t pid = 0;
    const int options = WNOHANG | (plan_.takes_terminal ? WUNTRACED : 0);
    while ((pid = ::waitpid(-1, &status, options)) > 0) {
      if (WIFSTOPPED(status)) {
        if (pid == program_) tell_stop();
        continue;
      }
      if (pid == program_) {
        report(InitReport::Kind::kExited, Step::kNone, status);
        leave(0);
      }
      if (pid == probe_) {
        probe_ = 0;
        report(InitReport::Kind::kProbeExited, Step::kNone, status);
      }
    }
  }

  InitPlan plan_;
  UniqueFd control_;
  UniqueFd signals_;
  std::vector<int> early_signals_;
  UniqueFd held_;  // what becomes of a program that is held
  pid_t program_ = 0;
  pid_t probe_ = 0;
  pid_t foreground_ = 0;  // the process group that had the terminal when the program stopped
};

}  // namespace

void report_born(bool passes_sockets, int control) {
  enter_role(Role::kInit);
  InitReport report{InitReport::Kind::kBorn, Step::kNone, 0};
  NetworkSockets sockets;
  std::size_t count = 0;
  if (passes_sockets) {
    sockets.route = try_open_netlink(NETLINK_ROUTE);
    if (sockets.route) sockets.diagnosis = try_open_netlink(NETLINK_SOCK_DIAG);
    if (sockets.diagnosis) sockets.ipv6 = try_open_ipv6();
    if (sockets.ipv6) {
      count = 3;
    } else if (sockets.diagnosis && means_no_such_socket(errno)) {
      count = 2;
    } else {
      report = {InitReport::Kind::kBorn, Step::kSockets, errno};
    }
  }
  const int passed[] = {*sockets.route, *sockets.diagnosis, *sockets.ipv6};
  const bool told = send_message(control, &report, sizeof report, passed, count);
  if (!told || report.step != Step::kNone) ::_exit(1);  // not told: the parent is gone
}

void run_init(InitPlan plan, UniqueFd control) {
  try {
    Init(std::move(plan), std::move(control)).run();
  } catch (...) {
    // Not into the frames of the parent, of which this process is a copy.
  }
  ::_exit(1);
}

}  // namespace isoenv
