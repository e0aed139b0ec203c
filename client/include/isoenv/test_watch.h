// What IsoEnv adds to the tests of a test program, whatever its framework: each is a session with
// the keeper, which undoes the test's faults at its end; it stands in the merged log; and of a
// failed one it tells what each service wrote meanwhile.
//
// isoenv/gtest.h drives it for GoogleTest. One test at a time; not for two threads at once. Never
// throws because of the instance: that it has ended is told once, in the text.
#pragma once

#include <memory>
#include <string>

#include "isoenv/environment.h"

namespace isoenv {
inline namespace client {

/// What came of a test besides what its assertions say.
struct TestEnd {
  std::string problems;  ///< why it must fail; "" for none
  std::string text;      ///< lines to print, fit for a terminal; mostly ""
};

class TestWatch {
 public:
  explicit TestWatch(Environment environment);
  ~TestWatch();
  TestWatch(TestWatch&&) noexcept;
  TestWatch& operator=(TestWatch&&) noexcept;

  /// `alone`: this process runs no other test, so that the session of the `exec` or `run` around
  /// it, if any, is the test's.
  void begin(const std::string& test, bool alone = false);
  /// Ends the test: when this returns, its faults are undone. `result`: a word for the log, such as
  /// `passed`. Of a failed test the text has the last 50 lines that each service wrote during it.
  TestEnd end(const std::string& result, bool failed);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace client
}  // namespace isoenv
