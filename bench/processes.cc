#include "bench/processes.h"

#include <unistd.h>

#include <charconv>
#include <fstream>
#include <set>
#include <string>

#include "base/error.h"

namespace isoenv::bench {
namespace {

std::string proc(pid_t pid, const char* file) {
  return "/proc/" + std::to_string(pid) + "/" + file;
}

/// 0 when there is no such process.
pid_t parent_of(pid_t pid) {
  std::ifstream stat(proc(pid, "stat"));
  std::string line;
  std::getline(stat, line);
  // pid (name) state ppid: the name may hold blanks and parentheses.
  const std::size_t name_end = line.rfind(") ");
  if (name_end == std::string::npos) return 0;
  pid_t parent = 0;
  const char* const text = line.data() + name_end + 4;
  std::from_chars(text, line.data() + line.size(), parent);
  return parent;
}

}  // namespace

std::vector<pid_t> processes_of(const std::filesystem::path& program) {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || end != name.data() + name.size()) continue;
    std::error_code gone;
    if (std::filesystem::read_symlink(proc(pid, "exe"), gone) == program) found.push_back(pid);
  }
  return found;
}

std::vector<pid_t> supervisors_of(const std::vector<pid_t>& services) {
  std::set<pid_t> own;
  for (pid_t pid = getpid(); pid > 0; pid = parent_of(pid)) own.insert(pid);
  std::set<pid_t> found;
  for (const pid_t service : services)
    for (pid_t pid = parent_of(service); pid > 1 && !own.contains(pid); pid = parent_of(pid))
      found.insert(pid);
  return {found.begin(), found.end()};
}

double pss_of(const std::vector<pid_t>& processes) {
  double sum = 0;
  for (const pid_t pid : processes) {
    std::ifstream rollup(proc(pid, "smaps_rollup"));
    double size = -1;
    for (std::string word; size < 0 && rollup >> word;)
      if (word == "Pss:") rollup >> size;
    if (size < 0) throw Error("cannot read the memory of process " + std::to_string(pid));
    sum += size;
  }
  return sum;
}

}  // namespace isoenv::bench
