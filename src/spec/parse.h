// JSON text → EnvironmentSpec, or every fault of it at once.
//
// Pure but for reading files: the spec itself in parse_spec_file, and the one it names as "lines".
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "spec/diagnostic.h"
#include "spec/spec.h"

namespace isoenv {

using ParseResult = std::variant<EnvironmentSpec, std::vector<Diagnostic>>;

/// The bytes of a file. Throws Error (kUsage) when it cannot be read.
using FileReader = std::function<std::string(const std::filesystem::path&)>;

/// As above from the file system, at most 64 MiB.
std::string read_spec_file(const std::filesystem::path& file);

/// Parses and validates `text` (JSON; // and /* */ comments allowed). `file` is only recorded, and
/// its folder is where `read` is asked for the "lines" file.
ParseResult parse_spec(std::string_view text, const std::filesystem::path& file,
                       const FileReader& read = read_spec_file);

/// Reads and parses `file`. Throws SystemError (exit code 2) when it cannot be read.
ParseResult parse_spec_file(const std::filesystem::path& file);

}  // namespace isoenv
