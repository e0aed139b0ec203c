#include "bench/workloads.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "base/error.h"
#include "bench/command.h"
#include "bench/compete.h"
#include "bench/floor.h"
#include "bench/peers.h"
#include "bench/processes.h"

namespace isoenv::bench {
namespace {

using Parts = std::vector<double>;
using Clock = std::chrono::steady_clock;

constexpr int kTimesOfMemory = 2;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

Parts floor_up_and_down(const Bench& bench, int services, FloorKind kind) {
  const auto start = Clock::now();
  Floor floor(services, bench.service, kind);
  const double up = milliseconds_since(start);
  const auto stop = Clock::now();
  floor.down();
  return {up, milliseconds_since(stop)};
}

class TimedInstance {
 public:
  TimedInstance(const Bench& bench, int services)
      : bench_(bench), services_(services), spec_(write_spec(bench, services).string()) {}

  double up() const {
    return time_isoenv(bench_, "up",
                       {"-f", spec_, "--owner", std::to_string(getpid()), "--artefacts",
                        (bench_.directory / "artefacts").string()});
  }
  double down() const {
    const double took = time_isoenv(bench_, "down", {"-f", spec_});
    if (const std::size_t left = processes_of(bench_.service).size(); left != 0)
      throw Error("isoenv down returned, and " + std::to_string(left) + " services still run");
    return took;
  }

  /// Not between an up and a down that are timed: the end of a process takes longer once somebody
  /// has looked at it in /proc (proc_flush_pid, fs/proc/base.c).
  void add_memory_to(MemoryResult& memory) const {
    const std::vector<pid_t> running = processes_of(bench_.service);
    if (running.size() != static_cast<std::size_t>(services_))
      throw Error("isoenv up said ready, and " + std::to_string(running.size()) + " of " +
                  std::to_string(services_) + " services run");
    const std::vector<pid_t> supervisors = supervisors_of(running);
    memory.processes = static_cast<int>(supervisors.size());
    memory.instance.add(pss_of(supervisors));
  }

 private:
  const Bench& bench_;
  int services_;
  std::string spec_;
};

Parts floor_run(const Bench& bench, int services) {
  const auto start = Clock::now();
  Floor floor(services, bench.service);
  floor.run();
  floor.down();
  return {milliseconds_since(start)};
}

}  // namespace

UpAndDown measure_up_and_down(const Bench& bench, int services) {
  UpAndDown measured;
  measured.memory.services = services;
  const TimedInstance instance(bench, services);
  for (int times = 0; times < kTimesOfMemory; ++times) {
    instance.up();
    instance.add_memory_to(measured.memory);
    instance.down();
  }
  std::vector<Contestant> contestants{
      {"floor", [&] { return floor_up_and_down(bench, services, {}); }},
      {"floor+inits",
       [&] { return floor_up_and_down(bench, services, {.inits = Inits::kOnePerService}); }},
      {"floor+macvlan",
       [&] { return floor_up_and_down(bench, services, {.links = Links::kMacvlan}); }},
      {"isoenv", [&] {
         const double up = instance.up();
         return Parts{up, instance.down()};
       }}};
  for (Contestant& peer : peers_up_and_down(bench, services))
    contestants.push_back(std::move(peer));
  auto results = compete(bench, services, {"up", "down"}, contestants);
  measured.up = std::move(results[0]);
  measured.down = std::move(results[1]);
  return measured;
}

WorkloadResult measure_start(const Bench& bench) {
  const auto starts = [&bench](std::vector<std::string> command) {
    return [&bench, command = std::move(command)] {
      return Parts{time_command(command, bench.directory / "output")};
    };
  };
  return std::move(compete(bench, 0, {"start"},
                           {{"floor", starts({"/bin/true"})},
                            {"isoenv", starts({bench.isoenv.string(), "--version"})}})
                       .front());
}

WorkloadResult measure_run(const Bench& bench, int services) {
  std::vector<std::string> arguments{"--artefacts", (bench.directory / "artefacts").string(), "--",
                                     "/bin/true"};
  if (services > 0) arguments.insert(arguments.begin(), {"-f", write_spec(bench, services)});
  std::vector<Contestant> contestants{
      {"floor", [&] { return floor_run(bench, services); }},
      {"isoenv", [&] { return Parts{time_isoenv(bench, "run", arguments)}; }}};

  for (Contestant& peer : peers_run(bench, services)) contestants.push_back(std::move(peer));

  if (const auto bwrap = find_program("bwrap"); bwrap && services == 0) {
    const std::vector<std::string> command{
        bwrap->string(), "--unshare-all", "--die-with-parent", "--dev-bind", "/", "/", "/bin/true"};
    const auto work = [&bench, command] {
      return Parts{time_command(command, bench.directory / "output")};
    };
    try {
      work();
      contestants.push_back({"bubblewrap", work});
    } catch (const Error&) {  // installed, but this machine does not let it work: no peer
    }
  }
  return std::move(compete(bench, services, {"run"}, contestants).front());
}

}  // namespace isoenv::bench
