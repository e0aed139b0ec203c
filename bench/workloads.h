// The workloads: the same work done in turn by the floor, by isoenv and by the peers installed
// here, in every repetition, so that the ratios of a repetition share the machine's mood.
//
// Which subject goes first alternates, and after each teardown there is a pause, not measured: the
// kernel takes dead network namespaces apart on its own time, holding the lock that the next
// bring-up needs. Everything isoenv writes lies in one temporary directory; every instance is owned
// by this process and ends with it.
#pragma once

#include <filesystem>
#include <vector>

#include "bench/report.h"

namespace isoenv::bench {

struct Bench {
  std::filesystem::path isoenv;     ///< the program to measure
  std::filesystem::path service;    ///< the instant service; no other run uses this file
  std::filesystem::path directory;  ///< for specs, runs, artefacts; private to this run
  int repetitions = 0;
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

}  // namespace isoenv::bench
