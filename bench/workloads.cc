#include "bench/workloads.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "base/error.h"
#include "bench/command.h"
#include "bench/floor.h"
#include "bench/processes.h"

namespace isoenv::bench {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// Long enough for the kernel to take `services` dead network namespaces apart.
void settle(int services) {
  std::this_thread::sleep_for(std::chrono::milliseconds(60 + 4 * services));
}

std::filesystem::path write_spec(const Bench& bench, int services) {
  const std::filesystem::path file =
      bench.directory / ("instant-" + std::to_string(services) + ".json");
  std::ofstream out(file);
  out << R"({ "version": 1, "environment": "instant", "services": {)";
  for (int number = 0; number < services; ++number)
    out << (number == 0 ? "" : ",") << "\n  \"s" << number << R"(": { "command": [")"
        << bench.service.string() << R"(", "8080"], "ports": {"http": 8080} })";
  out << "\n} }\n";
  if (!out.flush()) throw_errno("write", file.string());
  return file;
}

/// Each subject does the work once and returns the milliseconds of each of its parts.
using Parts = std::vector<double>;
struct Contestant {
  std::string name;
  std::function<Parts()> work;
};

/// Lets the contestants, the floor first, do their work in turn. Returns one result per part.
std::vector<WorkloadResult> compete(const Bench& bench, int services,
                                    const std::vector<std::string>& parts,
                                    const std::vector<Contestant>& contestants) {
  std::vector<WorkloadResult> results;
  for (const std::string& part : parts) {
    WorkloadResult& result = results.emplace_back();
    result.name = part;
    result.services = services;
    for (const Contestant& contestant : contestants)
      result.subjects.push_back({.name = contestant.name, .milliseconds = {}, .ratios = {}});
  }
  // The first repetition warms the page cache, and is not kept.
  for (int repetition = 0; repetition <= bench.repetitions; ++repetition) {
    std::vector<Parts> times(contestants.size());
    for (std::size_t turn = 0; turn < contestants.size(); ++turn) {
      const std::size_t i = repetition % 2 == 0 ? turn : contestants.size() - 1 - turn;
      times[i] = contestants[i].work();
      settle(services);
    }
    if (repetition == 0) continue;
    for (std::size_t part = 0; part < parts.size(); ++part)
      for (std::size_t i = 0; i < contestants.size(); ++i) {
        Subject& subject = results[part].subjects[i];
        subject.milliseconds.add(times[i][part]);
        if (i > 0) subject.ratios.add(times[i][part] / times[0][part]);
      }
  }
  return results;
}

double time_isoenv(const Bench& bench, const std::string& command,
                   std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {bench.isoenv.string(), command});
  return time_command(std::move(arguments), bench.directory / "output");
}

void measure_memory(const Bench& bench, int services, MemoryResult& memory) {
  const std::vector<pid_t> running = processes_of(bench.service);
  if (running.size() != static_cast<std::size_t>(services))
    throw Error("isoenv up said ready, and " + std::to_string(running.size()) + " of " +
                std::to_string(services) + " services run");
  const std::vector<pid_t> supervisors = supervisors_of(running);
  memory.processes = static_cast<int>(supervisors.size());
  memory.instance.add(pss_of(supervisors));
}

Parts floor_up_and_down(const Bench& bench, int services) {
  const auto start = Clock::now();
  Floor floor(services, bench.service);
  const double up = milliseconds_since(start);
  const auto stop = Clock::now();
  floor.down();
  return {up, milliseconds_since(stop)};
}

Parts isoenv_up_and_down(const Bench& bench, int services, const std::string& spec,
                         MemoryResult& memory) {
  const double up = time_isoenv(bench, "up",
                                {"-f", spec, "--owner", std::to_string(getpid()), "--artefacts",
                                 (bench.directory / "artefacts").string()});
  measure_memory(bench, services, memory);
  const double down = time_isoenv(bench, "down", {"-f", spec});
  if (const std::size_t left = processes_of(bench.service).size(); left != 0)
    throw Error("isoenv down returned, and " + std::to_string(left) + " services still run");
  return {up, down};
}

Parts floor_run(const Bench& bench, int services) {
  const auto start = Clock::now();
  Floor floor(services, bench.service);
  floor.run_true();
  floor.down();
  return {milliseconds_since(start)};
}

}  // namespace

UpAndDown measure_up_and_down(const Bench& bench, int services) {
  UpAndDown measured;
  measured.memory.services = services;
  const std::string spec = write_spec(bench, services).string();
  auto results = compete(
      bench, services, {"up", "down"},
      {{"floor", [&] { return floor_up_and_down(bench, services); }},
       {"isoenv", [&] { return isoenv_up_and_down(bench, services, spec, measured.memory); }}});
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
