// How much of what a spec may hold, where the form of a value does not say it. docs/spec.md lists
// all of it.
#pragma once

#include <cstddef>

namespace isoenv {

/// Services and tasks together: as many as are tried (tests/system/many_services_test.cc).
inline constexpr std::size_t kMostServices = 1000;
/// Ports, aliases, and probes of one service.
inline constexpr std::size_t kMostOfOneService = 100;
/// Bytes of any text, of an argument and of `NAME=value`, rendered: execve(2) takes 128 KiB with
/// the NUL behind it.
inline constexpr std::size_t kLongestText = (std::size_t{128} << 10U) - 1;
/// Bytes of the arguments and of the variables that IsoEnv sets, for one program: half of what
/// execve(2) takes by default, so that the caller's environment fits beside them.
inline constexpr std::size_t kLargestProgram = std::size_t{1} << 20U;
/// Bytes of a path (PATH_MAX without its NUL).
inline constexpr std::size_t kLongestPath = 4095;

}  // namespace isoenv
