#include "harness/test_witnesses.h"

#include <utility>

#include "base/error.h"

namespace isoenv {

void TestWitnesses::begin(std::uint64_t session, std::string facts, LogSlices logs) {
  tests_.emplace(session,
                 Test{std::move(facts), std::move(logs), std::chrono::steady_clock::now()});
}

bool TestWitnesses::owns_instance(std::uint64_t session) const {
  const auto test = tests_.find(session);
  return test != tests_.end() && test_facts_from_text(test->second.facts).owns_instance;
}

std::string TestWitnesses::marks(std::uint64_t session) const {
  const auto test = tests_.find(session);
  return test == tests_.end() ? "[]" : test->second.logs.marks();
}

Bundle TestWitnesses::tell(std::uint64_t session, const std::string& what,
                           std::vector<std::string> reasons, const std::string& plan,
                           const std::string& services) {
  const auto found = tests_.find(session);
  if (found == tests_.end()) throw Error("nothing is known of the test");
  const Test test = std::move(found->second);
  tests_.erase(found);
  TestFailure failure;
  failure.what = what;
  failure.reasons = std::move(reasons);
  failure.after = std::chrono::steady_clock::now() - test.began;
  failure.plan = plan;
  failure.services = services;
  failure.instance = instance_;
  return write_bundle(test_facts_from_text(test.facts), test.logs, failure);
}

}  // namespace isoenv
