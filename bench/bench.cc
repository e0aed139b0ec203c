// isoenv_bench: what bringing services up costs, beside the least that the kernel takes for it.
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "bench/floor.h"
#include "bench/peers.h"
#include "bench/workloads.h"

namespace isoenv::bench {
namespace {

namespace po = boost::program_options;

struct Options {
  std::string isoenv = ISOENV_BENCH_ISOENV;
  std::string service = ISOENV_BENCH_SERVICE;
  std::string load = ISOENV_BENCH_LOAD;
  std::string workloads = "start,run,again,up,suite,crowd,lag,first,traffic,log";
  std::string services = "1,10,50,200,1000";
  std::string json;
  int repetitions = 15;
  int peers_up_to = 10;
  int tries = 200;
  int floor_run = -1;
  bool floor_inits = false;
  bool floor_macvlan = false;
  bool help = false;
};

po::options_description describe(Options& options) {
  po::options_description described("Options");
  auto add = described.add_options();
  add("isoenv", po::value(&options.isoenv), "the program to measure (default: of this build)");
  add("service", po::value(&options.service), "the service program (default: of this build)");
  add("load", po::value(&options.load), "the load service (default: of this build)");
  add("workloads", po::value(&options.workloads),
      "which to run, a list (default: start,run,again,up,suite,crowd,lag,first,traffic,log)");
  add("services", po::value(&options.services),
      "how many services up has: a list (default: 1,10,50,200,1000)");
  add("repetitions", po::value(&options.repetitions), "of each measurement (default: 15)");
  add("peers-up-to", po::value(&options.peers_up_to),
      "the most services that other ways of bringing them up are given; 0: none (default: 10)");
  add("tries", po::value(&options.tries), "of the first request (default: 200)");
  add("floor-run", po::value(&options.floor_run),
      "measure nothing: bring up a floor of so many services, run /bin/true in it, take it down");
  add("floor-inits", po::bool_switch(&options.floor_inits),
      "with --floor-run: an init beside each service");
  add("floor-macvlan", po::bool_switch(&options.floor_macvlan),
      "with --floor-run: macvlan interfaces instead of a bridge with veth pairs");
  add("json", po::value(&options.json), "write the result to this file too");
  add("help", po::bool_switch(&options.help), "print this");
  return described;
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> items;
  std::istringstream in(list);
  for (std::string item; std::getline(in, item, ',');) items.push_back(item);
  return items;
}

std::vector<int> read_counts(const std::string& list) {
  std::vector<int> counts;
  for (const std::string& item : split(list)) {
    int count = 0;
    if (!(std::istringstream(item) >> count) || count < 1 || count > 1000)
      throw Error("\"" + item + "\" in --services is not a number from 1 to 1000",
                  ExitCode::kUsage);
    counts.push_back(count);
  }
  return counts;
}

void run_workload(const std::string& name, const Bench& bench, const std::vector<int>& counts,
                  int tries, Report& report) {
  if (name == "start") {
    report.workloads.push_back(measure_start(bench));
  } else if (name == "run") {
    for (const int services : {0, 1}) report.workloads.push_back(measure_run(bench, services));
  } else if (name == "up") {
    for (const int services : counts) {
      UpAndDown measured = measure_up_and_down(bench, services);
      report.workloads.push_back(std::move(measured.up));
      report.workloads.push_back(std::move(measured.down));
      report.memory.push_back(std::move(measured.memory));
    }
  } else if (name == "again") {
    report.workloads.push_back(measure_again(bench));
  } else if (name == "suite") {
    report.workloads.push_back(measure_suite(bench));
  } else if (name == "crowd") {
    for (const int instances : {10, 50})
      report.workloads.push_back(measure_crowd(bench, instances));
  } else if (name == "lag") {
    report.workloads.push_back(measure_lag(bench));
  } else if (name == "first") {
    report.workloads.push_back(measure_first_request(bench, tries));
  } else if (name == "traffic") {
    for (WorkloadResult& result : measure_traffic(bench))
      report.workloads.push_back(std::move(result));
  } else if (name == "log") {
    report.workloads.push_back(measure_log(bench));
  } else {
    throw Error("\"" + name + "\" in --workloads is no workload, see --help", ExitCode::kUsage);
  }
}

/// A private directory for everything this run writes; gone with its owner.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = std::filesystem::temp_directory_path() / "isoenv-bench-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) throw_errno("create a directory", pattern);
    path_ = pattern;
  }
  /// Tries for a second: what an instance leaves behind is removed by a process of its own, which
  /// may still be at it.
  ~TemporaryDirectory() {
    std::error_code error;
    for (int attempt = 0; attempt < 20; ++attempt) {
      std::filesystem::remove_all(path_, error);
      if (!std::filesystem::exists(path_, error)) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

std::filesystem::path executable(const std::string& file, const char* what) {
  if (::access(file.c_str(), X_OK) != 0)
    throw Error(std::string(what) + " \"" + file + "\" is not there or cannot be executed",
                ExitCode::kUsage, std::string("build it, or name another with --") + what);
  return std::filesystem::canonical(file);
}

/// A floor of a thousand services has some thousand descriptors.
void raise_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void measure(const Options& options) {
  const TemporaryDirectory directory;
  Bench bench;
  bench.isoenv = executable(options.isoenv, "isoenv");
  bench.directory = directory.path();
  // A copy of its own tells this run's services from those of another run of the benchmark.
  bench.service = directory.path() / "instant_service";
  std::filesystem::copy_file(executable(options.service, "service"), bench.service);
  bench.repetitions = std::max(options.repetitions, 1);
  bench.load = executable(options.load, "load");
  bench.peers_up_to = options.peers_up_to;
  ::setenv("ISOENV_RUNTIME_DIR", (directory.path() / "run").c_str(), 1);

  Report report;
  report.machine = read_machine();
  report.build_type = ISOENV_BENCH_BUILD_TYPE;
  report.repetitions = bench.repetitions;
  if (report.build_type != "Release" && report.build_type != "RelWithDebInfo")
    report.notes.emplace_back("this is not an optimised build: its figures say little");

  report.commands = {
      {"floor", "isoenv_bench --floor-run SERVICES, in this process for up and down"},
      {"floor+inits", "the same with --floor-inits"},
      {"floor+macvlan", "the same with --floor-macvlan"},
      {"isoenv", bench.isoenv.string() + " up -f SPEC, down -f SPEC, run -f SPEC -- /bin/true"}};
  if (bench.peers_up_to > 0) find_peers(bench, report);

  const std::vector<int> counts = read_counts(options.services);
  for (const std::string& name : split(options.workloads))
    run_workload(name, bench, counts, options.tries, report);

  print_table(report, std::cout);
  if (options.json.empty()) return;
  std::ofstream json(options.json);
  print_json(report, json);
  if (!json.flush()) throw_errno("write", options.json);
}

int run(int argc, char** argv) {
  Options options;
  const po::options_description described = describe(options);
  try {
    po::variables_map values;
    po::store(po::command_line_parser(argc, argv).options(described).positional({}).run(), values);
    po::notify(values);
    if (options.help) {
      std::cout << "isoenv_bench: measures isoenv against the kernel's floor, in one run\n"
                << described;
      return 0;
    }
    raise_open_files();
    if (options.floor_run >= 0) {
      const FloorKind kind{options.floor_inits ? Inits::kOnePerService : Inits::kNone,
                           options.floor_macvlan ? Links::kMacvlan : Links::kBridge};
      Floor floor(options.floor_run, executable(options.service, "service"), kind);
      floor.run();
      floor.down();
    } else {
      measure(options);
    }
    return 0;
  } catch (const po::error& error) {
    std::cerr << "isoenv_bench: " << error.what() << "; see --help\n";
    return static_cast<int>(ExitCode::kUsage);
  } catch (const std::filesystem::filesystem_error& error) {
    std::cerr << "isoenv_bench: " << error.what() << '\n';
    return static_cast<int>(ExitCode::kEnvironmentFailed);
  } catch (const Error& error) {
    std::cerr << "isoenv_bench: " << error.what() << '\n';
    if (!error.hint().empty()) std::cerr << "hint: " << error.hint() << '\n';
    return static_cast<int>(error.code());
  }
}

}  // namespace
}  // namespace isoenv::bench

int main(int argc, char** argv) { return isoenv::bench::run(argc, argv); }
