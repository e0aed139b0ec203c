#include "harness/test_options.h"

#include <boost/program_options.hpp>

#include "env/fault.h"

namespace isoenv {
namespace {

namespace po = boost::program_options;

po::typed_value<std::vector<std::string>>* repeatable(const char* placeholder) {
  return po::value<std::vector<std::string>>()->value_name(placeholder)->composing();
}

std::vector<std::string> list(const po::variables_map& values, const char* option) {
  if (values.count(option) == 0) return {};
  return values[option].as<std::vector<std::string>>();
}

}  // namespace

void add_test_options(po::options_description& options) {
  auto add = options.add_options();
  add("fault", repeatable("FAULT"),
      "a fault of a service while COMMAND runs: ACTION[=SIGNAL]:SERVICE@DELAY[+DURATION], as "
      "pause:order@200ms+1s; may be repeated");
  add("allow-failure", repeatable("SERVICE"),
      "nothing that this service does fails the test; may be repeated");
  add("expect-exit", repeatable("EXIT"),
      "an end of a service that does not fail the test: SERVICE:CODE or SERVICE:SIGNAL, as "
      "order:3; may be repeated");
  add("test", po::value<std::string>()->value_name("NAME"),
      "the name of this test in ctest, for messages and for the command that repeats it");
  add("listing", repeatable("WORD"),
      "with WORD among its arguments COMMAND only lists its tests: run it at once, outside; may be "
      "repeated");
}

TestOptions read_test_options(const po::variables_map& values) {
  TestOptions options;
  options.faults = list(values, "fault");
  (void)parse_faults(options.faults);
  options.tolerance = parse_tolerance(list(values, "allow-failure"), list(values, "expect-exit"));
  if (values.count("test") != 0) options.test = values["test"].as<std::string>();
  options.listing = list(values, "listing");
  return options;
}

std::string option_about_services(const TestOptions& options) {
  if (!options.faults.empty()) return "--fault";
  if (!options.tolerance.allow_failure.empty()) return "--allow-failure";
  return options.tolerance.expect_exit.empty() ? "" : "--expect-exit";
}

}  // namespace isoenv
