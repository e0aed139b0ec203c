// Many commands: in a test suite, at once, and in vain.
#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>

#include "bench/command.h"
#include "bench/compete.h"
#include "bench/peers.h"
#include "bench/workloads.h"

namespace isoenv::bench {
namespace {

namespace fs = std::filesystem;

using Command = std::vector<std::string>;

constexpr int kTests = 16;
constexpr int kTestServices = 2;

/// This program as the floor of one test: see bench.cc.
Command floor_run(const Bench& bench, int services) {
  return {fs::read_symlink("/proc/self/exe").string(), "--service", bench.service.string(),
          "--floor-run", std::to_string(services)};
}

Command isoenv_run(const Bench& bench, const fs::path& spec) {
  return {bench.isoenv.string(),
          "run",
          "-f",
          spec.string(),
          "--artefacts",
          (bench.directory / "artefacts").string(),
          "--",
          "/bin/true"};
}

/// A build tree as far as ctest needs one, in which every test is `command`.
fs::path write_suite(const Bench& bench, const std::string& name, const Command& command) {
  std::string text;
  for (int test = 0; test < kTests; ++test) {
    text += "add_test(t" + std::to_string(test);
    for (const std::string& word : command) text += " [==[" + word + "]==]";
    text += ")\n";
  }
  fs::create_directories(bench.directory / name);
  write_file(bench, name + "/CTestTestfile.cmake", text);
  return bench.directory / name;
}

Contestant suite_of(const Bench& bench, const std::string& name, const Command& command) {
  const Command ctest{"ctest", "--test-dir", write_suite(bench, "suite-" + name, command).string(),
                      "-j2"};
  return {name, [&bench, ctest] {
            return std::vector<double>{time_command(ctest, bench.directory / "output")};
          }};
}

Contestant crowd_of(const Bench& bench, const std::string& name, std::vector<Command> commands) {
  return {name, [&bench, commands = std::move(commands)] {
            return std::vector<double>{time_at_once(commands, bench.directory / "output")};
          }};
}

}  // namespace

WorkloadResult measure_again(const Bench& bench) {
  const fs::path spec = write_spec(bench, 1);
  const Instance instance(bench, spec);
  const auto again = [&] {
    return std::vector<double>{
        time_isoenv(bench, "up", {"-f", spec, "--owner", std::to_string(getpid())})};
  };
  const auto nothing = [&] {
    return std::vector<double>{time_command({"/bin/true"}, bench.directory / "output")};
  };
  return std::move(compete(bench, 1, {"again"}, {{"floor", nothing}, {"isoenv", again}}).front());
}

WorkloadResult measure_suite(const Bench& bench) {
  const fs::path spec = write_spec(bench, kTestServices);
  Command without_bridge = floor_run(bench, kTestServices);
  without_bridge.emplace_back("--floor-macvlan");
  std::vector<Contestant> contestants{suite_of(bench, "floor", floor_run(bench, kTestServices)),
                                      suite_of(bench, "floor+macvlan", without_bridge),
                                      suite_of(bench, "isoenv", isoenv_run(bench, spec))};
  for (const Peer& peer : bench.peers)
    contestants.push_back(
        suite_of(bench, peer.name, peer_run(bench, peer, kTestServices, {"/bin/true"})));
  return std::move(compete(bench, kTests * kTestServices, {"suite"}, contestants).front());
}

WorkloadResult measure_crowd(const Bench& bench, int instances) {
  const fs::path spec = write_spec(bench, 1);
  const auto times = static_cast<std::size_t>(instances);
  return std::move(
      compete(bench, instances, {"crowd"},
              {crowd_of(bench, "floor", std::vector<Command>(times, floor_run(bench, 1))),
               crowd_of(bench, "isoenv", std::vector<Command>(times, isoenv_run(bench, spec)))})
          .front());
}

}  // namespace isoenv::bench
