#include "support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ostream>
#include <stdexcept>
#include <utility>

extern char** environ;

namespace isoenv::test {
namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

Pipe make_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

std::map<std::string, std::string> child_environment(const ProcessOptions& options) {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) variables[text.substr(0, equals)] = text.substr(equals + 1);
  }
  for (const std::string& name : options.unset) variables.erase(name);
  for (const auto& [name, value] : options.env) variables[name] = value;
  return variables;
}

std::string program_file(const std::string& name, const std::string& path) {
  if (name.find('/') != std::string::npos) return name;
  std::size_t start = 0;
  while (start <= path.size()) {
    const std::size_t end = std::min(path.find(':', start), path.size());
    const std::string file = path.substr(start, end - start) + "/" + name;
    if (::access(file.c_str(), X_OK) == 0) return file;
    start = end + 1;
  }
  throw std::runtime_error("no program '" + name + "' in PATH " + path);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

/// What the child does between fork and exec; everything it needs was made before.
struct ChildPlan {
  const char* file = nullptr;
  char* const* argv = nullptr;
  char* const* envp = nullptr;
  const char* directory = nullptr;
  std::array<int, 3> stdio{};
  const std::vector<int>* inherited_fds = nullptr;
  bool new_session = false;
};

[[noreturn]] void become(const ChildPlan& plan) {
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (plan.new_session) ::setsid();
  for (int target = 0; target < 3; ++target) {
    ::dup2(plan.stdio[static_cast<std::size_t>(target)], target);
  }
  ::syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
  for (const int fd : *plan.inherited_fds) ::fcntl(fd, F_SETFD, 0);
  if (plan.directory == nullptr || ::chdir(plan.directory) == 0) {
    ::execve(plan.file, plan.argv, plan.envp);
  }
  const char* text = ::strerrordesc_np(errno);
  if (::write(STDERR_FILENO, text, std::strlen(text)) < 0) ::_exit(124);
  ::_exit(124);
}

std::chrono::milliseconds left_until(Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
  return std::max(left, std::chrono::milliseconds(0));
}

}  // namespace

std::ostream& operator<<(std::ostream& stream, const Outcome& outcome) {
  if (outcome.timed_out) stream << "did not end in time and was killed; ";
  if (outcome.output_left_open) stream << "ended, but its stdout or stderr stayed open; ";
  if (outcome.signal != 0) {
    stream << "killed by signal " << outcome.signal;
  } else {
    stream << "exit code " << outcome.exit_code;
  }
  return stream << "\n--- stdout\n" << outcome.out << "\n--- stderr\n" << outcome.err << "\n---";
}

Process::Process(const std::vector<std::string>& argv, const ProcessOptions& options) {
  const auto variables = child_environment(options);
  const auto path = variables.find("PATH");
  const std::string file = program_file(argv.at(0), path == variables.end() ? "" : path->second);
  std::vector<std::string> environment;
  for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);
  std::vector<std::string> words = argv;
  const std::vector<char*> argv_pointers = pointers(words);
  const std::vector<char*> envp_pointers = pointers(environment);
  Pipe in = make_pipe();
  Pipe out = make_pipe();
  Pipe err = make_pipe();

  ChildPlan plan;
  plan.file = file.c_str();
  plan.argv = argv_pointers.data();
  plan.envp = envp_pointers.data();
  plan.directory = options.directory.empty() ? nullptr : options.directory.c_str();
  plan.stdio = {*in.read_end, *out.write_end, *err.write_end};
  plan.inherited_fds = &options.inherited_fds;
  plan.new_session = options.new_session;
  // Nothing of this process is copied; become() leaves what they share as it is.
  pid_ = ::vfork();
  if (pid_ < 0) throw std::runtime_error("vfork failed");
  if (pid_ == 0) become(plan);

  ::fcntl(*in.write_end, F_SETFL, O_NONBLOCK);
  pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0U)));
  stdin_ = std::move(in.write_end);
  stdout_ = std::move(out.read_end);
  stderr_ = std::move(err.read_end);
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      stdin_(std::move(other.stdin_)),
      pending_input_(std::move(other.pending_input_)),
      stdout_(std::move(other.stdout_)),
      stderr_(std::move(other.stderr_)),
      outcome_(std::move(other.outcome_)) {}

Process::~Process() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  reap();
}

void Process::send_signal(int signal) const {
  if (pid_ > 0) ::kill(pid_, signal);
}

void Process::write_stdin(const std::string& text) {
  pending_input_ += text;
  write_pending();
}

void Process::write_pending() {
  // A child that closed its end early must not kill the test: SIGPIPE is ignored in system_main.cc.
  while (!pending_input_.empty()) {
    const ssize_t size = ::write(*stdin_, pending_input_.data(), pending_input_.size());
    if (size < 0 && errno == EAGAIN) return;
    pending_input_.erase(0, size < 0 ? pending_input_.size() : static_cast<std::size_t>(size));
  }
}

bool Process::ended() {
  pollfd watched{pidfd_ ? *pidfd_ : -1, POLLIN, 0};
  if (pid_ > 0 && ::poll(&watched, 1, 0) > 0) reap();
  return pid_ < 0;
}

void Process::read_available(UniqueFd& pipe, std::string& text) {
  std::array<char, 65536> buffer;
  const ssize_t size = ::read(*pipe, buffer.data(), buffer.size());
  if (size > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(size));
  } else {
    pipe.reset();
  }
}

bool Process::read_once(std::chrono::milliseconds patience) {
  // poll(2) passes over negative descriptors: a closed pipe or a reaped process.
  std::array<pollfd, 4> watched{{{stdout_ ? *stdout_ : -1, POLLIN, 0},
                                 {stderr_ ? *stderr_ : -1, POLLIN, 0},
                                 {pidfd_ ? *pidfd_ : -1, POLLIN, 0},
                                 {pending_input_.empty() ? -1 : *stdin_, POLLOUT, 0}}};
  if (::poll(watched.data(), watched.size(), static_cast<int>(patience.count())) <= 0) return false;
  if (watched[0].revents != 0) read_available(stdout_, outcome_.out);
  if (watched[1].revents != 0) read_available(stderr_, outcome_.err);
  if (watched[2].revents != 0) reap();
  if (watched[3].revents != 0) write_pending();
  return true;
}

void Process::reap() {
  int status = 0;
  if (::waitpid(pid_, &status, 0) == pid_) {
    if (WIFSIGNALED(status)) outcome_.signal = WTERMSIG(status);
    if (WIFEXITED(status)) outcome_.exit_code = WEXITSTATUS(status);
  }
  pid_ = -1;
  pidfd_.reset();
}

bool Process::wait_for_output(const std::string& text) {
  const auto deadline = Clock::now() + kPatience;
  while (outcome_.out.find(text) == std::string::npos) {
    if (!stdout_ || !read_once(left_until(deadline))) return false;
  }
  return true;
}

Outcome Process::wait(std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  while (pid_ > 0 || stdout_ || stderr_) {
    if (pending_input_.empty()) stdin_.reset();
    if (read_once(left_until(deadline))) continue;
    outcome_.timed_out = pid_ > 0;
    outcome_.output_left_open = pid_ <= 0;
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      reap();
    }
    break;
  }
  return outcome_;
}

Outcome run(const std::vector<std::string>& argv, const ProcessOptions& options,
            const std::string& input) {
  Process process(argv, options);
  process.write_stdin(input);
  return process.wait();
}

}  // namespace isoenv::test
