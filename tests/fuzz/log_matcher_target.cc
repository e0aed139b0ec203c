// A service's output, searched for patterns. Before a 0x1e byte a regular expression, behind it the
// output.
#include <algorithm>
#include <optional>

#include "base/error.h"
#include "fuzz.h"
#include "ready/log_matcher.h"

namespace isoenv::fuzz {
namespace {

LogMatcher matcher_for(const std::string& pattern, std::string_view output, std::size_t step) {
  LogMatcher matcher({pattern});
  for (; !output.empty(); output.remove_prefix(std::min(step, output.size()))) {
    matcher.feed(output.substr(0, step));
  }
  matcher.finish();
  return matcher;
}

}  // namespace
}  // namespace isoenv::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace isoenv;
  using namespace isoenv::fuzz;
  std::string_view output = text_of(data, size);
  const std::string pattern(take_part(output, '\x1e'));
  try {
    const LogMatcher whole = matcher_for(pattern, output, output.size() + 1);
    const LogMatcher bytes = matcher_for(pattern, output, 1);
    require(whole.matches(pattern) == bytes.matches(pattern) &&
                whole.last_lines() == bytes.last_lines(),
            "output is the same in whatever pieces it arrives");
    require(whole.last_lines(3).size() <= 3, "no more lines than asked for");
    require(!whole.matches(pattern + "x"), "a pattern that is not open does not match");
  } catch (const Error& error) {
    require(error.code() == ExitCode::kUsage, "a bad expression is the user's fault");
  }
  return 0;
}
