// The session of the test that this process runs now: to it belong the faults that the test makes,
// and at its end the keeper undoes them.
//
// A session is a fact about the process, as the test under way is; so which one it is, is kept once
// for the process. May be asked from any thread.
#pragma once

#include <cstdint>
#include <string>

#include "source/instance.h"

namespace isoenv::inline client {

/// The session in this instance that a fault belongs to: that of the TestSession there is, else of
/// the `exec` or `run` around; 0: none.
std::uint64_t session_in(const Instance& instance);

/// True when an `exec` or `run` of the instance is around this process.
bool has_surrounding_session(const Instance& instance);

/// A failed service or fault, for people: `db: exit code 3 …` with its diagnosis and last lines.
std::string failure_text(const Json& failure);

class TestSession {
 public:
  /// Begins a session for the test. At most one object at a time.
  TestSession(const Instance& instance, const std::string& test);
  /// The keeper ends the session with the connection.
  ~TestSession();
  TestSession(const TestSession&) = delete;
  TestSession& operator=(const TestSession&) = delete;

  /// Ends it: when this returns, what the test's faults have left is undone. Returns what makes the
  /// test fail all the same, a line each; "" is good.
  std::string end();

 private:
  Channel channel_;
  std::uint64_t number_ = 0;
};

}  // namespace isoenv::inline client
