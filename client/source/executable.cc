#include "source/executable.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "isoenv/error.h"
#include "source/descriptor.h"

namespace isoenv::inline client {

const char* accompanying_executable();  // consumer/executable.cc

namespace {

constexpr char kVariable[] = "ISOENV_EXECUTABLE";

bool is_program(const std::string& file) {
  return !file.empty() && ::access(file.c_str(), X_OK) == 0;
}

std::string find_in_path() {
  const char* path = std::getenv("PATH");
  std::string folders = path == nullptr ? "" : path;
  while (!folders.empty()) {
    const std::size_t colon = folders.find(':');
    const std::string file = folders.substr(0, colon) + "/isoenv";
    if (is_program(file)) return file;
    folders = colon == std::string::npos ? "" : folders.substr(colon + 1);
  }
  return "";
}

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Pipe make_pipe() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    throw EnvironmentError(std::string("cannot make a pipe: ") + std::strerror(errno));
  }
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

/// Reads both to their ends.
void drain(Pipe& out, std::string& out_text, Pipe& error, std::string& error_text) {
  pollfd ends[] = {{*out.read, POLLIN, 0}, {*error.read, POLLIN, 0}};
  std::string* texts[] = {&out_text, &error_text};
  char chunk[16 * 1024];
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    if (::poll(ends, 2, -1) < 0) continue;  // EINTR
    for (int i = 0; i < 2; ++i) {
      if (ends[i].fd < 0 || ends[i].revents == 0) continue;
      const ssize_t length = ::read(ends[i].fd, chunk, sizeof chunk);
      if (length < 0 && errno == EINTR) continue;
      if (length <= 0) {
        ends[i].fd = -1;  // poll(2) passes over it
      } else {
        texts[i]->append(chunk, static_cast<std::size_t>(length));
      }
    }
  }
}

class SpawnSettings {
 public:
  SpawnSettings(int out, int error) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, out, 1);
    ::posix_spawn_file_actions_adddup2(&actions_, error, 2);
    ::posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

}  // namespace

std::string find_executable() {
  const char* chosen = std::getenv(kVariable);
  if (chosen != nullptr && *chosen != '\0') {
    if (is_program(chosen)) return chosen;
    throw EnvironmentError(std::string("cannot run '") + chosen + "', which " + kVariable +
                           " names: " + std::strerror(errno));
  }
  const std::string accompanying = accompanying_executable();
  if (is_program(accompanying)) return accompanying;
  const std::string in_path = find_in_path();
  if (!in_path.empty()) return in_path;
  throw EnvironmentError(
      "cannot find the program 'isoenv': there is none at '" + accompanying + "', and none in PATH",
      std::string("set ") + kVariable + " to it");
}

Outcome run_isoenv(const std::vector<std::string>& arguments) {
  const std::string executable = find_executable();
  std::vector<char*> argv{const_cast<char*>("isoenv")};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);

  Pipe out = make_pipe();
  Pipe error = make_pipe();
  pid_t child = -1;
  {
    const SpawnSettings settings(*out.write, *error.write);
    const int refused = ::posix_spawn(&child, executable.c_str(), settings.actions(),
                                      settings.attributes(), argv.data(), environ);
    if (refused != 0) {
      throw EnvironmentError("cannot run '" + executable + "': " + std::strerror(refused));
    }
  }
  out.write.reset();
  error.write.reset();
  Outcome outcome;
  drain(out, outcome.out, error, outcome.error);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno == EINTR) continue;
    throw EnvironmentError(
        "cannot learn how 'isoenv " + arguments.front() + "' ended: " + std::strerror(errno),
        "the test must not wait for children that are not its own");
  }
  outcome.code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  while (!outcome.error.empty() && outcome.error.back() == '\n') outcome.error.pop_back();
  return outcome;
}

}  // namespace isoenv::inline client
