// What flows once a service runs: its readiness, its first request, bytes, lines.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "bench/command.h"
#include "bench/compete.h"
#include "bench/floor.h"
#include "bench/workloads.h"

namespace isoenv::bench {
namespace {

namespace fs = std::filesystem;

constexpr char kPort[] = "8080";
constexpr std::uintmax_t kLines = 500'000;
constexpr std::uintmax_t kLineBytes = 100;

double read_figure(const fs::path& file) {
  std::ifstream in(file);
  double figure = 0;
  if (!(in >> figure)) throw Error("no figure in \"" + file.string() + "\"");
  return figure;
}

fs::path figure_file(const Bench& bench) { return bench.directory / "figure"; }

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

/// A spec of one service, s0: the load service with `arguments`, and further `members`. `group` is
/// "services" or "tasks".
fs::path write_load_spec(const Bench& bench, const std::string& name,
                         const std::vector<std::string>& arguments, const std::string& members,
                         const std::string& group = "services") {
  std::string command = quoted(bench.load.string());
  for (const std::string& argument : arguments) command += ", " + quoted(argument);
  return write_file(bench, name + ".json",
                    R"({ "version": 1, "environment": ")" + name + R"(", ")" + group +
                        R"(": { "s0": { "command": [)" + command + "]" + members + "} } }\n");
}

std::vector<std::string> client(const Bench& bench, const std::string& mode,
                                const std::string& host, const std::string& port) {
  return {bench.load.string(), mode, host, port, figure_file(bench).string()};
}

/// The moment at which isoenv.log calls s0 ready, in seconds, modulo a quarter of an hour: all time
/// zones agree on that.
double ready_time(const fs::path& log) {
  std::ifstream in(log);
  for (std::string line; std::getline(in, line);) {
    int hours = 0;
    int minutes = 0;
    double seconds = 0;
    if (line.find("| s0: ready") != std::string::npos &&
        std::sscanf(line.c_str(), "%d:%d:%lf", &hours, &minutes, &seconds) == 3)
      return std::fmod(minutes * 60 + seconds, 900);
  }
  throw Error("\"" + log.string() + "\" does not say that s0 is ready");
}

double floor_figure(const Bench& bench, const std::string& mode) {
  Floor floor(1, bench.load, {}, client(bench, mode, Floor::address_of(0), kPort));
  floor.run();
  floor.down();
  return read_figure(figure_file(bench));
}

/// From the tests' side of an instance that is up.
double inside_figure(const Bench& bench, const fs::path& spec, const std::string& mode,
                     const std::string& host, const std::string& port) {
  std::vector<std::string> arguments{"-f", spec, "--"};
  for (std::string& word : client(bench, mode, host, port)) arguments.push_back(std::move(word));
  time_isoenv(bench, "exec", arguments);
  return read_figure(figure_file(bench));
}

double outside_figure(const Bench& bench, const std::string& mode, const std::string& port) {
  time_command(client(bench, mode, "127.0.0.1", port), bench.directory / "output");
  return read_figure(figure_file(bench));
}

}  // namespace

WorkloadResult measure_lag(const Bench& bench) {
  const fs::path spec = write_load_spec(bench, "late", {"late", kPort, figure_file(bench)},
                                        R"(, "ports": {"http": 8080})");
  const auto lag = [&] {
    const Instance instance(bench, spec);
    const double listened = std::fmod(read_figure(figure_file(bench)), 900);
    const double ready = ready_time(bench.directory / "artefacts/latest/isoenv.log");
    return std::vector<double>{std::fmod(ready - listened + 900, 900) * 1e3};
  };
  return std::move(compete(bench, 1, {"lag"}, {{"isoenv", lag}}).front());
}

WorkloadResult measure_first_request(const Bench& bench, int tries) {
  const fs::path spec = write_load_spec(bench, "first", {kPort}, R"(, "ports": {"http": 8080})");
  const std::string artefacts = (bench.directory / "artefacts").string();
  Bench often = bench;
  often.repetitions = tries;
  const auto floor = [&] { return std::vector<double>{floor_figure(bench, "first")}; };
  const auto isoenv = [&] {
    std::vector<std::string> arguments{"-f", spec, "--artefacts", artefacts, "--"};
    for (std::string& word : client(bench, "first", "s0", kPort))
      arguments.push_back(std::move(word));
    time_isoenv(bench, "run", arguments);
    return std::vector<double>{read_figure(figure_file(bench))};
  };
  return std::move(compete(often, 1, {"first"}, {{"floor", floor}, {"isoenv", isoenv}}).front());
}

std::vector<WorkloadResult> measure_traffic(const Bench& bench) {
  const std::string published = "28080";
  const fs::path spec = write_load_spec(bench, "traffic", {kPort},
                                        R"(, "ports": {"http": 8080}, "localhost": ["http"],
                                           "publish": {"http": )" +
                                            published + "}");
  const Instance instance(bench, spec);
  using Figure = std::function<double(const std::string& mode)>;
  const auto both = [](const Figure& figure) {
    return [figure] { return std::vector<double>{figure("pour"), figure("rtt")}; };
  };
  const Figure floor = [&](const std::string& mode) { return floor_figure(bench, mode); };
  const Figure inside = [&](const std::string& mode) {
    return inside_figure(bench, spec, mode, "s0", kPort);
  };
  const Figure localhost = [&](const std::string& mode) {
    return inside_figure(bench, spec, mode, "127.0.0.1", kPort);
  };
  const Figure publish = [&](const std::string& mode) {
    return outside_figure(bench, mode, published);
  };
  std::vector<WorkloadResult> results = compete(bench, 1, {"stream", "rtt"},
                                                {{"floor", both(floor)},
                                                 {"isoenv", both(inside)},
                                                 {"localhost", both(localhost)},
                                                 {"publish", both(publish)}});
  results[0].unit = "Gbit/s";
  results[1].unit = "us";
  return results;
}

WorkloadResult measure_log(const Bench& bench) {
  const std::vector<std::string> words{"lines", std::to_string(kLines), figure_file(bench)};
  const fs::path spec = write_load_spec(bench, "lines", words, "", "tasks");
  const auto per_second = [&] {
    return std::vector<double>{static_cast<double>(kLines) / read_figure(figure_file(bench)) / 1e3};
  };
  const auto to_file = [&] {
    std::vector<std::string> command{bench.load.string()};
    command.insert(command.end(), words.begin(), words.end());
    time_command(command, bench.directory / "lines.out");
    return per_second();
  };
  const fs::path artefacts = bench.directory / "artefacts";
  const auto captured = [&] {
    {
      const Instance instance(bench, spec);
      if (fs::file_size(artefacts / "latest/s0.log") != kLines * kLineBytes)
        throw Error("isoenv did not capture every line");
    }
    // As the file of the other is written anew: memory that a virtual machine has never used before
    // takes its host several times as long to find as it takes to copy what goes there.
    std::error_code ignored;  // what the instance's own tidying up removes at the same moment
    fs::remove_all(artefacts, ignored);
    return per_second();
  };
  WorkloadResult result =
      std::move(compete(bench, 1, {"log"}, {{"file", to_file}, {"isoenv", captured}}).front());
  result.unit = "k/s";
  return result;
}

}  // namespace isoenv::bench
