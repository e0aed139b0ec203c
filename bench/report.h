// What a run of the benchmark found, and its two forms: a table for people, JSON for programs.
#pragma once

#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "bench/machine.h"
#include "bench/series.h"

namespace isoenv::bench {

/// One program's figures for a workload. Repetition i of all subjects ran one after the other, and
/// `ratios` holds, for each repetition, this subject's figure over the floor's of the same one.
struct Subject {
  std::string name;  ///< `floor`, `isoenv`, a peer
  Series values;
  Series ratios;  ///< empty for the floor itself
};

struct WorkloadResult {
  std::string name;  ///< `up`, `down`, `run`, …
  int services = 0;
  std::string unit = "ms";
  std::vector<Subject> subjects;  ///< the floor first
};

/// Proportional set size of IsoEnv's own processes, in KiB, services excluded.
struct MemoryResult {
  int services = 0;
  int processes = 0;
  Series instance;  ///< all of them together
};

struct Report {
  Machine machine;
  std::string build_type;
  int repetitions = 0;
  std::vector<std::string> notes;
  std::vector<std::pair<std::string, std::string>> commands;  ///< of each subject
  std::vector<WorkloadResult> workloads;
  std::vector<MemoryResult> memory;
};

void print_table(const Report& report, std::ostream& out);
void print_json(const Report& report, std::ostream& out);

}  // namespace isoenv::bench
