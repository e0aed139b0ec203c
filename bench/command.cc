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

namespace isoenv::bench {
namespace {

class SpawnStdio {
 public:
  explicit SpawnStdio(const std::filesystem::path& output) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, 1, output.c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&actions_, 1, 2);
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

}  // namespace

double time_at_once(const std::vector<std::vector<std::string>>& commands,
                    const std::filesystem::path& output) {
  const SpawnStdio stdio(output);
  const auto start = std::chrono::steady_clock::now();
  std::vector<pid_t> pids;
  for (const std::vector<std::string>& command : commands) pids.push_back(spawn(command, stdio));
  std::vector<int> statuses;
  for (const pid_t pid : pids) statuses.push_back(wait_for(pid));
  const auto end = std::chrono::steady_clock::now();

  for (std::size_t i = 0; i < commands.size(); ++i) {
    const ExitStatus ended = ExitStatus::from_wait(statuses[i]);
    if (ended.success()) continue;
    std::string line;
    for (const std::string& argument : commands[i]) line += (line.empty() ? "" : " ") + argument;
    throw Error("\"" + line + "\" ended with " + ended.describe() + ":\n" + content(output));
  }
  return std::chrono::duration<double, std::milli>(end - start).count();
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
