// What is read from the command line of a test program: whether it only lists its tests, as CMake
// asks it to, and by which name the logs of this run of it are found. Runs nothing.
#pragma once

#include <string>
#include <vector>

namespace isoenv {

/// True when one of the arguments of `command` (not its first word) is one of the words `listing`.
bool only_lists(const std::vector<std::string>& command, const std::vector<std::string>& listing);

/// The test that the arguments of `command` select, as GoogleTest, doctest and Catch2 are told;
/// else its first argument that is no option; else its program.
std::string selected_test(const std::vector<std::string>& command);

/// A file name for `command`: its selected_test(), made fit for a file name; then a hash
/// of all words, so that no two commands share one.
std::string command_folder(const std::vector<std::string>& command);

}  // namespace isoenv
