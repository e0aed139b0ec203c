// The options of the commands that run a test, `exec` and `run`.
#pragma once

#include <string>
#include <vector>

#include "env/tolerance.h"

namespace boost::program_options {
class options_description;
class variables_map;
}  // namespace boost::program_options

namespace isoenv {

struct TestOptions {
  std::vector<std::string> faults;   ///< that come by themselves; each makes sense
  Tolerance tolerance;               ///< failures of services that the test means
  std::string test;                  ///< its name in ctest; "" = unknown
  std::vector<std::string> listing;  ///< words that ask the command only for a list of its tests
};

/// `--fault`, `--allow-failure`, `--expect-exit`, `--test`, `--listing`.
void add_test_options(boost::program_options::options_description& options);
/// Throws Error (kUsage) when a value makes no sense.
TestOptions read_test_options(const boost::program_options::variables_map& values);

/// The first of the options given that is about services; "" when none is.
std::string option_about_services(const TestOptions& options);

}  // namespace isoenv
