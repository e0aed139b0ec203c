#include "process/process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "base/syscall.h"

namespace isoenv {
namespace {

constexpr int kLongestPause = 50;  // ms between looks at processes that are slow to die

struct ProcessEntry {
  pid_t pid = 0;
  pid_t parent = 0;
  char state = 0;
  unsigned long long start_time = 0;

  bool living() const { return state != 'Z' && state != 'X'; }
};

/// False when the process is gone. Fields 3, 4 and 22 of proc(5)'s stat follow the last bracket.
bool read_entry(const char* pid, ProcessEntry& entry) {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "/proc/%s/stat", pid);
  const UniqueFd file(::open(path.data(), O_RDONLY | O_CLOEXEC));
  std::array<char, 1024> text{};
  const ssize_t length = file ? ::read(*file, text.data(), text.size() - 1) : -1;
  const char* close = length > 0 ? std::strrchr(text.data(), ')') : nullptr;
  if (close == nullptr) return false;
  entry.pid = static_cast<pid_t>(std::strtol(pid, nullptr, 10));
  return std::sscanf(close + 1,
                     " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
                     "%llu",
                     &entry.state, &entry.parent, &entry.start_time) == 3;
}

/// PF_EXITING (linux/sched.h), which do_exit() sets before it gives up the task's files; among the
/// flags, field 9 of proc(5)'s stat. True when the task is gone.
bool is_task_ending(const std::string& directory) {
  constexpr unsigned kExiting = 0x4;
  const UniqueFd file(::open((directory + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 1024> text{};
  const ssize_t length = file ? ::read(*file, text.data(), text.size() - 1) : -1;
  const char* close = length > 0 ? std::strrchr(text.data(), ')') : nullptr;
  if (close == nullptr) return true;
  unsigned flags = 0;
  const int read = std::sscanf(close + 1, " %*c %*d %*d %*d %*d %*d %u", &flags);
  return read == 1 && (flags & kExiting) != 0;
}

/// Every process of the machine by its parent.
std::multimap<pid_t, ProcessEntry> read_processes() {
  std::multimap<pid_t, ProcessEntry> by_parent;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc"), ::closedir);
  if (!directory) return by_parent;
  while (const dirent* name = ::readdir(directory.get())) {
    ProcessEntry entry;
    const bool is_pid = name->d_name[0] >= '1' && name->d_name[0] <= '9';
    if (is_pid && read_entry(name->d_name, entry)) by_parent.emplace(entry.parent, entry);
  }
  return by_parent;
}

/// Those below `ancestor` but `spared` children and theirs, zombies too, parents first.
std::vector<ProcessEntry> entries_below(pid_t ancestor, const std::vector<pid_t>& spared) {
  const std::multimap<pid_t, ProcessEntry> by_parent = read_processes();
  std::vector<ProcessEntry> found;
  const auto add_children = [&](pid_t parent) {
    const auto [first, last] = by_parent.equal_range(parent);
    for (auto child = first; child != last; ++child) {
      const bool stays = std::find(spared.begin(), spared.end(), child->second.pid) != spared.end();
      if (!stays) found.push_back(child->second);
    }
  };
  add_children(ancestor);
  // NOLINTNEXTLINE(modernize-loop-convert): it grows meanwhile.
  for (std::size_t i = 0; i < found.size(); ++i) add_children(found[i].pid);
  return found;
}

/// Signals exactly the process that was seen, or nothing.
void send(const ProcessEntry& seen, int signal) {
  const UniqueFd process = try_pidfd_open(seen.pid);
  ProcessEntry now;
  if (!process || !read_entry(std::to_string(seen.pid).c_str(), now)) return;
  if (now.start_time == seen.start_time) try_pidfd_send_signal(*process, signal);
}

/// Stops what is there until nothing new appears.
std::vector<ProcessEntry> stop_all(const std::vector<pid_t>& spared) {
  std::vector<ProcessEntry> stopped;
  std::set<std::pair<pid_t, unsigned long long>> known;
  for (bool found = true; found;) {
    found = false;
    for (const ProcessEntry& entry : entries_below(::getpid(), spared)) {
      if (!entry.living() || !known.emplace(entry.pid, entry.start_time).second) continue;
      send(entry, SIGSTOP);
      stopped.push_back(entry);
      found = true;
    }
  }
  return stopped;
}

/// One round.
void stop_and_kill(const std::vector<pid_t>& spared) {
  for (const ProcessEntry& entry : stop_all(spared)) send(entry, SIGKILL);
}

/// Reaps dead children; true when none is left.
bool reap_all() {
  for (;;) {
    const pid_t reaped = ::waitpid(-1, nullptr, WNOHANG);
    if (reaped < 0 && errno != EINTR) return true;
    if (reaped == 0) return false;
  }
}

bool reap_all_but(const std::vector<pid_t>& spared) {
  bool none_left = true;
  for (const ProcessEntry& entry : entries_below(::getpid(), spared)) {
    if (entry.parent != ::getpid()) continue;
    if (::waitpid(entry.pid, nullptr, WNOHANG) == 0) none_left = false;
  }
  return none_left;
}

}  // namespace

// Nobody sends it without meaning it, and a terminal cannot.
const int kEndSignal = SIGPWR;

bool adopt_orphans() noexcept { return ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0; }

std::vector<pid_t> processes_below(pid_t ancestor) {
  std::vector<pid_t> pids;
  for (const ProcessEntry& entry : entries_below(ancestor, {})) {
    if (entry.living()) pids.push_back(entry.pid);
  }
  return pids;
}

bool is_ending(std::int64_t pid) {
  if (pid == 0) return false;
  const std::string process = "/proc/" + std::to_string(pid);
  if (!is_task_ending(process)) return false;
  // A program's first thread may end long before the others.
  const std::string tasks = process + "/task";
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(tasks.c_str()), ::closedir);
  if (!directory) return true;
  while (const dirent* task = ::readdir(directory.get())) {
    if (task->d_name[0] != '.' && !is_task_ending(tasks + "/" + task->d_name)) return false;
  }
  return true;
}

void signal_descendants(int signal) {
  if (signal == SIGSTOP) {
    (void)stop_all({});
    return;
  }
  for (const ProcessEntry& entry : entries_below(::getpid(), {})) send(entry, signal);
}

void end_descendants(const std::vector<pid_t>& spared) {
  const auto none_left = [&] { return spared.empty() ? reap_all() : reap_all_but(spared); };
  for (int pause = 1; !none_left(); pause = std::min(2 * pause, kLongestPause)) {
    stop_and_kill(spared);
    if (none_left()) return;
    ::poll(nullptr, 0, pause);
  }
}

std::int64_t host_pid(int pidfd) {
  const std::string path = "/proc/self/fdinfo/" + std::to_string(pidfd);
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 512> text{};
  if (!file || ::read(*file, text.data(), text.size() - 1) <= 0) return 0;
  const char* const line = std::strstr(text.data(), "\nPid:");
  return line != nullptr ? std::max(std::strtoll(line + 5, nullptr, 10), 0LL) : 0;
}

}  // namespace isoenv
