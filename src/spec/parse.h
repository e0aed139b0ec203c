// JSON text → EnvironmentSpec, or every fault of it at once.
//
// Pure but for reading files: the spec itself in parse_spec_file, and the one it names as "lines".
#pragma once

#include <filesystem>
#include <string_view>
#include <variant>
#include <vector>

#include "spec/diagnostic.h"
#include "spec/spec.h"

namespace isoenv {

using ParseResult = std::variant<EnvironmentSpec, std::vector<Diagnostic>>;

/// Parses and validates `text` (JSON; // and /* */ comments allowed). `file` is only recorded, and
/// its folder is where the "lines" file is looked for.
ParseResult parse_spec(std::string_view text, const std::filesystem::path& file);

/// Reads and parses `file`. Throws SystemError (exit code 2) when it cannot be read.
ParseResult parse_spec_file(const std::filesystem::path& file);

}  // namespace isoenv
