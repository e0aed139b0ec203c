#include "bench/compete.h"

#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>
#include <utility>

#include "base/error.h"
#include "bench/command.h"

namespace isoenv::bench {
namespace {

/// Long enough for the kernel to take `services` dead network namespaces apart.
void settle(int services) {
  std::this_thread::sleep_for(std::chrono::milliseconds(60 + 4 * services));
}

constexpr std::chrono::seconds kSlow{2};
constexpr int kRepetitionsOfSlow = 3;

}  // namespace

std::vector<WorkloadResult> compete(const Bench& bench, int services,
                                    const std::vector<std::string>& parts,
                                    const std::vector<Contestant>& contestants) {
  std::vector<WorkloadResult> results;
  for (const std::string& part : parts) {
    WorkloadResult& result = results.emplace_back();
    result.name = part;
    result.services = services;
    for (const Contestant& contestant : contestants)
      result.subjects.push_back({.name = contestant.name, .values = {}, .ratios = {}});
  }
  std::vector<bool> slow(contestants.size(), false);
  // The first repetition warms the page cache, and is not kept.
  for (int repetition = 0; repetition <= bench.repetitions; ++repetition) {
    std::vector<std::vector<double>> figures(contestants.size());
    for (std::size_t turn = 0; turn < contestants.size(); ++turn) {
      const std::size_t i = repetition % 2 == 0 ? turn : contestants.size() - 1 - turn;
      if (slow[i] && repetition > kRepetitionsOfSlow) continue;
      const auto start = std::chrono::steady_clock::now();
      figures[i] = contestants[i].work();
      slow[i] = slow[i] || std::chrono::steady_clock::now() - start > kSlow;
      settle(services);
    }
    if (repetition == 0) continue;
    for (std::size_t part = 0; part < parts.size(); ++part)
      for (std::size_t i = 0; i < contestants.size(); ++i) {
        Subject& subject = results[part].subjects[i];
        if (figures[i].empty()) continue;
        subject.values.add(figures[i][part]);
        if (i > 0 && !figures[0].empty()) subject.ratios.add(figures[i][part] / figures[0][part]);
      }
  }
  return results;
}

std::filesystem::path write_file(const Bench& bench, const std::string& name,
                                 const std::string& text) {
  std::filesystem::path file = bench.directory / name;
  std::ofstream out(file);
  if (!(out << text).flush()) throw_errno("write", file.string());
  return file;
}

std::filesystem::path write_spec(const Bench& bench, int services) {
  std::string text = R"({ "version": 1, "environment": "instant", "services": {)";
  for (int number = 0; number < services; ++number)
    text += (number == 0 ? "\n  \"s" : ",\n  \"s") + std::to_string(number) +
            R"(": { "command": [")" + bench.service.string() +
            R"(", "8080"], "ports": {"http": 8080} })";
  return write_file(bench, "instant-" + std::to_string(services) + ".json", text + "\n} }\n");
}

double time_isoenv(const Bench& bench, const std::string& command,
                   std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {bench.isoenv.string(), command});
  return time_command(std::move(arguments), bench.directory / "output");
}

Instance::Instance(const Bench& bench, std::filesystem::path spec)
    : bench_(bench), spec_(std::move(spec)) {
  time_isoenv(bench_, "up",
              {"-f", spec_, "--owner", std::to_string(getpid()), "--artefacts",
               (bench_.directory / "artefacts").string()});
}

Instance::~Instance() {
  try {
    time_isoenv(bench_, "down", {"-f", spec_});
  } catch (const Error&) {  // it is gone already, and ends with this process in any case
  }
}

}  // namespace isoenv::bench
