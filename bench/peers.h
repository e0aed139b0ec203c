// Other ways to bring the same services up, measured in the same run: scripts beside this file, by
// hand with `ip netns` and with podman, each if its tools are installed and it works here.
#pragma once

#include <string>
#include <vector>

#include "bench/compete.h"
#include "bench/report.h"
#include "bench/workloads.h"

namespace isoenv::bench {

/// Tries each once, with one service; adds those that work to `bench`, and to the report their
/// commands, or why one cannot take part.
void find_peers(Bench& bench, Report& report);

/// The command that brings `services` up, runs `command` beside them and takes them down.
std::vector<std::string> peer_run(const Bench& bench, const Peer& peer, int services,
                                  const std::vector<std::string>& command);

/// All peers for which `services` are not too many; the parts are up and down.
std::vector<Contestant> peers_up_and_down(const Bench& bench, int services);
/// The same, with a run around /bin/true as the only part.
std::vector<Contestant> peers_run(const Bench& bench, int services);

}  // namespace isoenv::bench
