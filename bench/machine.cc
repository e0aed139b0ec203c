#include "bench/machine.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>

namespace isoenv::bench {
namespace {

std::string cpu_model() {
  std::ifstream cpus("/proc/cpuinfo");
  for (std::string line; std::getline(cpus, line);)
    if (line.starts_with("model name")) return line.substr(line.find(": ") + 2);
  return "unknown";
}

}  // namespace

Machine read_machine() {
  utsname names{};
  uname(&names);
  Machine machine;
  machine.kernel = std::string(names.sysname) + " " + names.release + " " + names.machine;
  machine.cpu = cpu_model();
  machine.cores = sysconf(_SC_NPROCESSORS_ONLN);
  std::ifstream("/proc/loadavg") >> machine.load;
  machine.root = geteuid() == 0;
  return machine;
}

}  // namespace isoenv::bench
