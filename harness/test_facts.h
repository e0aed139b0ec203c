// What is known of a test before it runs, for whoever tells of its failure: its own `isoenv`, or,
// when that was killed together with the test, the keeper.
#pragma once

#include <cstddef>
#include <string>

#include "env/program_environment.h"
#include "harness/repeat_command.h"

namespace isoenv {

struct TestFacts {
  std::string name;  ///< of the test, for people
  RepeatedTest repeated;
  Variables variables;         ///< that the test gets: those of the caller, then the instance's
  bool owns_instance = false;  ///< the instance ends with the test
};

/// Any bytes come back from the text, which is UTF-8. Of what is longer than `most` bytes, first
/// the variables are left out, then all but the name.
std::string to_text(const TestFacts& facts, std::size_t most);
/// Throws Error when the text is none of to_text().
TestFacts test_facts_from_text(const std::string& text);

}  // namespace isoenv
