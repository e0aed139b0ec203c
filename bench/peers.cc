#include "bench/peers.h"

#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include <utility>

#include "base/error.h"
#include "bench/command.h"

namespace isoenv::bench {
namespace {

struct Candidate {
  const char* name;
  const char* script;
  std::vector<std::string> tools;
  bool at_any_priority;  ///< also when the benchmark itself runs at a real-time priority
};

std::string why_not(const Bench& bench, const Candidate& candidate, const Peer& peer) {
  if (geteuid() != 0) return "needs root";
  if (!candidate.at_any_priority && sched_getscheduler(0) != SCHED_OTHER)
    return "does not work at a real-time priority: measure it without chrt(1)";
  for (const std::string& tool : candidate.tools)
    if (!find_program(tool)) return "'" + tool + "' is not installed";
  try {
    time_command(peer_run(bench, peer, 1, {"/bin/true"}), bench.directory / "output");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

template <typename Work>
std::vector<Contestant> contestants(const Bench& bench, int services, Work work) {
  std::vector<Contestant> result;
  for (const Peer& peer : bench.peers) {
    if (services < 1 || services > bench.peers_up_to) continue;
    result.push_back({peer.name, [work, &peer] { return work(peer); }});
  }
  return result;
}

}  // namespace

void find_peers(Bench& bench, Report& report) {
  const std::vector<Candidate> candidates{
      {"by-hand", "by_hand.sh", {"unshare", "ip", "ss"}, true},
      {"podman", "podman.sh", {"unshare", "ip", "tar", "podman", "runc"}, false}};
  ::setenv("PODMAN_BENCH", (bench.directory / "podman").c_str(), 1);
  std::filesystem::create_directory(bench.directory / "podman");
  for (const Candidate& candidate : candidates) {
    Peer peer{candidate.name, std::filesystem::path(ISOENV_BENCH_SCRIPTS) / candidate.script};
    const std::string reason = why_not(bench, candidate, peer);
    if (reason.empty()) {
      report.commands.push_back({peer.name, peer.script.string() + " SERVICES PROGRAM [COMMAND…]"});
      bench.peers.push_back(std::move(peer));
    } else {
      report.notes.push_back("not measured: " + peer.name + ": " + reason);
    }
  }
}

std::vector<std::string> peer_run(const Bench& bench, const Peer& peer, int services,
                                  const std::vector<std::string>& command) {
  std::vector<std::string> words{peer.script.string(), std::to_string(services),
                                 bench.service.string()};
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

std::vector<Contestant> peers_up_and_down(const Bench& bench, int services) {
  return contestants(bench, services, [&bench, services](const Peer& peer) {
    return time_up_and_down(peer_run(bench, peer, services, {}), bench.directory / "output");
  });
}

std::vector<Contestant> peers_run(const Bench& bench, int services) {
  return contestants(bench, services, [&bench, services](const Peer& peer) {
    return std::vector<double>{
        time_command(peer_run(bench, peer, services, {"/bin/true"}), bench.directory / "output")};
  });
}

}  // namespace isoenv::bench
