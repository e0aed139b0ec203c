// What IsoEnv adds to the tests of a test program, whatever its framework: their boundaries in the
// merged log, and of a failed one what each service wrote meanwhile.
//
// isoenv/gtest.h drives it for GoogleTest. One test at a time; not for two threads at once. Never
// throws because of the instance: that it has ended is told once, in the text.
#pragma once

#include <memory>
#include <string>

#include "isoenv/environment.h"

namespace isoenv {
inline namespace client {

class TestWatch {
 public:
  explicit TestWatch(Environment environment);
  ~TestWatch();
  TestWatch(TestWatch&&) noexcept;
  TestWatch& operator=(TestWatch&&) noexcept;

  void begin(const std::string& test);
  /// `result`: a word for the log, such as `passed`. Returns lines to print: of a failed test the
  /// last 50 lines that each service wrote during it, fit for a terminal; otherwise mostly "".
  std::string end(const std::string& result, bool failed);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace client
}  // namespace isoenv
