// What the keeper remembers of the tests under way, enough to tell of a failure that their own
// `isoenv` cannot tell of: it was killed with them, or knew nothing of it yet.
//
// Costs a look at the size of each log when a test begins. Tests that only a client library knows,
// with no command of their own, are none of these. One thread; what it writes, it writes at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "harness/failure_bundle.h"

namespace isoenv {

class TestWitnesses {
 public:
  explicit TestWitnesses(std::string instance) : instance_(std::move(instance)) {}

  /// `facts`: of to_text(); `logs`: marked before its session began.
  void begin(std::uint64_t session, std::string facts, LogSlices logs);
  void forget(std::uint64_t session) { tests_.erase(session); }
  bool knows(std::uint64_t session) const { return tests_.contains(session); }
  /// True when the instance ends with the test.
  bool owns_instance(std::uint64_t session) const;

  /// For the test's own isoenv: LogSlices::marks() of the moment when the test began.
  std::string marks(std::uint64_t session) const;

  /// Writes the bundle of a test, and forgets it. Throws Error when it cannot be written.
  Bundle tell(std::uint64_t session, const std::string& what, std::vector<std::string> reasons,
              const std::string& plan, const std::string& services);

 private:
  struct Test {
    std::string facts;
    LogSlices logs;
    std::chrono::steady_clock::time_point began;
  };

  std::string instance_;
  std::map<std::uint64_t, Test> tests_;
};

}  // namespace isoenv
