// The environment variables a program starts with.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spec/spec.h"

namespace isoenv {

using Variables = std::vector<std::pair<std::string, std::string>>;

/// The calling process's own environment, in order.
Variables own_environment();

/// `NAME=value` strings: what `mode` lets through of `inherited`, then `own`; a later value of a
/// name replaces an earlier one. A make jobserver's variables never pass: its descriptors do not
/// exist in the program.
std::vector<std::string> program_environment(EnvMode mode, const Variables& inherited,
                                             const Variables& own);

/// The value of PATH in such a list, or the system's default path.
std::string search_path(const std::vector<std::string>& environment);

}  // namespace isoenv
