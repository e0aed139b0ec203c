// What a run of ctest will run, as far as its command line tells.
//
// Only the ctest knows its selection. But one that was given no word that narrows it runs every
// test there is, and that can be read. Whatever is not known for certain counts as narrowed.
#pragma once

#include <string>
#include <vector>

#include "harness/owner.h"

namespace isoenv {

/// True when a ctest with this command line runs all its tests, to the end. [0] is its own name.
bool runs_all_tests(const std::vector<std::string>& command_line);

/// The same of a running ctest; false when it has gone or cannot be read.
bool runs_all_tests(const ProcessId& ctest);

}  // namespace isoenv
