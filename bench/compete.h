// The same work done in turn by the floor, by isoenv and by the peers installed here, in every
// repetition, so that the ratios of a repetition share the machine's mood.
//
// Which subject goes first alternates, and after each there is a pause, not measured: the kernel
// takes dead network namespaces apart on its own time, holding the lock that the next bring-up
// needs. Who takes seconds for it is measured three times only.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/report.h"
#include "bench/workloads.h"

namespace isoenv::bench {

/// Does the work once and returns the figure of each of its parts.
struct Contestant {
  std::string name;
  std::function<std::vector<double>()> work;
};

/// One result per part. The first contestant is what the others' ratios are over.
std::vector<WorkloadResult> compete(const Bench& bench, int services,
                                    const std::vector<std::string>& parts,
                                    const std::vector<Contestant>& contestants);

/// A spec with `services` instant services, s0, s1, …, each on its port 8080.
std::filesystem::path write_spec(const Bench& bench, int services);

/// Writes `text` to the file `name` in the run's directory.
std::filesystem::path write_file(const Bench& bench, const std::string& name,
                                 const std::string& text);

/// The milliseconds of `isoenv COMMAND ARGUMENT…`, its artefacts in the run's directory.
double time_isoenv(const Bench& bench, const std::string& command,
                   std::vector<std::string> arguments);

/// `isoenv up` of a spec, and `isoenv down` at the end of the object's life.
class Instance {
 public:
  Instance(const Bench& bench, std::filesystem::path spec);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

 private:
  const Bench& bench_;
  std::filesystem::path spec_;
};

}  // namespace isoenv::bench
