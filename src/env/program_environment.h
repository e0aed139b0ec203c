// The environment variables a program starts with.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/string_block.h"
#include "spec/spec.h"

namespace isoenv {

using Variables = std::vector<std::pair<std::string, std::string>>;

/// The calling process's own environment, in order.
Variables own_environment();

/// What many programs have in common, worked out once: with a thousand services each one's
/// environment holds thousands of variables that are the same for all.
class SharedEnvironment {
 public:
  SharedEnvironment(const Variables& inherited, const Variables& shared);

  /// `NAME=value`: what `mode` lets through of what is inherited, then what is shared, then
  /// `own`; a later value of a name replaces an earlier one. A make jobserver's variables never
  /// pass: its descriptors do not exist in the program.
  StringBlock with(EnvMode mode, const Variables& own) const;

 private:
  struct Entries {
    Entries(EnvMode mode, const Variables& inherited, const Variables& shared);

    StringBlock block;
    std::unordered_map<std::string, std::size_t> places;  ///< where a name's entry begins
  };

  Entries inheriting_;
  Entries clean_;
};

/// The same for a program that shares nothing.
StringBlock program_environment(EnvMode mode, const Variables& inherited, const Variables& own);

/// The value of PATH in such a list, or the system's default path.
std::string search_path(const StringBlock& environment);

}  // namespace isoenv
