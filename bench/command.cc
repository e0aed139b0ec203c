#include "bench/command.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "base/error.h"
#include "base/exit_status.h"
#include "base/syscall.h"

namespace isoenv::bench {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

class SpawnStdio {
 public:
  explicit SpawnStdio(const std::filesystem::path& output) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, 1, output.c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&actions_, 1, 2);
  }
  /// The same, but with pipes as stdin and stdout.
  SpawnStdio(const std::filesystem::path& output, int in, int out) : SpawnStdio(output) {
    posix_spawn_file_actions_adddup2(&actions_, in, 0);
    posix_spawn_file_actions_adddup2(&actions_, out, 1);
  }
  ~SpawnStdio() { posix_spawn_file_actions_destroy(&actions_); }
  SpawnStdio(const SpawnStdio&) = delete;
  SpawnStdio& operator=(const SpawnStdio&) = delete;

  const posix_spawn_file_actions_t* operator*() const noexcept { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

std::string content(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

pid_t spawn(std::vector<std::string> command, const SpawnStdio& stdio) {
  std::vector<char*> argv;
  for (std::string& argument : command) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_t pid = -1;
  errno = posix_spawnp(&pid, argv[0], *stdio, nullptr, argv.data(), environ);
  if (errno != 0) throw_errno("run", command[0]);
  return pid;
}

int wait_for(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) throw_errno("wait for process", std::to_string(pid));
  return status;
}

std::string line_of(const std::vector<std::string>& command) {
  std::string line;
  for (const std::string& word : command) line += (line.empty() ? "" : " ") + word;
  return line;
}

void expect_success(int status, const std::vector<std::string>& command,
                    const std::filesystem::path& output) {
  const ExitStatus ended = ExitStatus::from_wait(status);
  if (ended.success()) return;
  throw Error("\"" + line_of(command) + "\" ended with " + ended.describe() + ":\n" +
              content(output));
}

}  // namespace

double time_at_once(const std::vector<std::vector<std::string>>& commands,
                    const std::filesystem::path& output) {
  const SpawnStdio stdio(output);
  const auto start = Clock::now();
  std::vector<pid_t> pids;
  for (const std::vector<std::string>& command : commands) pids.push_back(spawn(command, stdio));
  std::vector<int> statuses;
  for (const pid_t pid : pids) statuses.push_back(wait_for(pid));
  const double took = milliseconds_since(start);
  for (std::size_t i = 0; i < commands.size(); ++i)
    expect_success(statuses[i], commands[i], output);
  return took;
}

std::vector<double> time_up_and_down(std::vector<std::string> command,
                                     const std::filesystem::path& output) {
  Pipe orders = make_pipe();
  Pipe answers = make_pipe();
  const SpawnStdio stdio(output, *orders.read, *answers.write);
  const auto start = Clock::now();
  const pid_t pid = spawn(command, stdio);
  orders.read.reset();
  answers.write.reset();
  char first = 0;
  const bool ready = ::read(*answers.read, &first, 1) == 1 && first == 'r';
  const double up = milliseconds_since(start);
  const auto stop = Clock::now();
  orders.write.reset();
  expect_success(wait_for(pid), command, output);
  if (!ready) throw Error("\"" + line_of(command) + "\" never was ready");
  return {up, milliseconds_since(stop)};
}

double time_command(std::vector<std::string> command, const std::filesystem::path& output) {
  return time_at_once({std::move(command)}, output);
}

std::optional<std::filesystem::path> find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    std::filesystem::path file = std::filesystem::path(folder) / name;
    if (!folder.empty() && ::access(file.c_str(), X_OK) == 0) return file;
  }
  return std::nullopt;
}

}  // namespace isoenv::bench
