// Runs a program as a user would and says how long it took, from before it is spawned until it has
// been waited for: process start, dynamic linking and exit included.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace isoenv::bench {

/// Runs `command` ([0] is looked up in PATH) with `output` as its stdout and stderr and nothing as
/// its stdin. Returns the milliseconds it took. Throws Error, with what it wrote, unless it exits
/// with 0.
double time_command(std::vector<std::string> command, const std::filesystem::path& output);

/// Runs `command`, which says `ready` on its stdout when all is up, and takes it down when its
/// stdin ends. Returns the milliseconds until the one, and those from there to its end. `output` is
/// its stderr; throws likewise.
std::vector<double> time_up_and_down(std::vector<std::string> command,
                                     const std::filesystem::path& output);

/// Runs all of them at once. Returns the milliseconds until the last has ended.
double time_at_once(const std::vector<std::vector<std::string>>& commands,
                    const std::filesystem::path& output);

/// The first executable file `name` in the folders of PATH.
std::optional<std::filesystem::path> find_program(const std::string& name);

}  // namespace isoenv::bench
