// What the zygote does, from its first step to its last.
//
// It begins as a fresh process, without anything that the keeper holds, since every init is a copy
// of it. Where that cannot be executed, the keeper's fork does the same.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/unique_fd.h"

namespace isoenv {

/// A message to the zygote. Its descriptors: the init's end of the control socket, a file with the
/// encoded plan, then those of the plan (init_plan.h).
struct ZygoteRequest {
  std::uint64_t flags = 0;      ///< of clone(2)
  bool passes_sockets = false;  ///< of the plan

  static constexpr std::size_t kOwnDescriptors = 2;
};

/// What a program is called, by its first argument, when it is to serve as the zygote: the keeper
/// calls it so, and never a person.
inline constexpr char kZygoteName[] = "isoenv-zygote";

/// Where it finds its end of the socket then.
inline constexpr int kZygoteSocket = 3;

/// Clones inits as asked for, until the other end of the socket is closed. Never returns.
[[noreturn]] void serve_as_zygote(UniqueFd requests);

}  // namespace isoenv
