// The workloads: what users of isoenv wait for, each beside the least that the kernel takes.
//
// Everything isoenv writes lies in one temporary directory; every instance is owned by this process
// and ends with it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "bench/report.h"

namespace isoenv::bench {

/// Another way to bring services up, see peers.h.
struct Peer {
  std::string name;
  std::filesystem::path script;
};

struct Bench {
  std::filesystem::path isoenv;     ///< the program to measure
  std::filesystem::path service;    ///< the instant service; no other run uses this file
  std::filesystem::path load;       ///< the load service
  std::filesystem::path directory;  ///< for specs, runs, artefacts; private to this run
  int repetitions = 0;
  std::vector<Peer> peers;
  int peers_up_to = 0;  ///< the most services that peers are given
};

/// What starting the program costs before it does anything: `isoenv --version` beside `/bin/true`.
WorkloadResult measure_start(const Bench& bench);

/// `isoenv up` until all of `services` are ready, then `isoenv down`; two results, and with
/// `memory` what its processes take in between.
struct UpAndDown {
  WorkloadResult up;
  WorkloadResult down;
  MemoryResult memory;
};
UpAndDown measure_up_and_down(const Bench& bench, int services);

/// `isoenv run -- true`, in an instance of `services`; without services in an empty one, for which
/// bubblewrap is a peer if it is installed and works.
WorkloadResult measure_run(const Bench& bench, int services);

/// `isoenv up` of an instance of one service that is up already.
WorkloadResult measure_again(const Bench& bench);

/// Sixteen tests under `ctest -j2`, each in a fresh instance of two services on fixed ports.
WorkloadResult measure_suite(const Bench& bench);

/// `instances` times `isoenv run -- true` with one service, all at once.
WorkloadResult measure_crowd(const Bench& bench, int instances);

/// From a service's listen(2) to the moment at which isoenv calls it ready.
WorkloadResult measure_lag(const Bench& bench);

/// The first request of a client that starts when the service is ready: connection and round trip.
WorkloadResult measure_first_request(const Bench& bench, int tries);

/// A TCP stream and a round trip between the tests' side and a service: over the floor's bridge,
/// over isoenv's, and through LOCALHOST and PUBLISH. Two results.
std::vector<WorkloadResult> measure_traffic(const Bench& bench);

/// A service that writes lines flat out: to a file by itself, and captured by isoenv.
WorkloadResult measure_log(const Bench& bench);

}  // namespace isoenv::bench
