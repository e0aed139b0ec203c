#include "base/absolute_path.h"

#include <cerrno>
#include <system_error>

#include "base/error.h"

namespace isoenv {

std::filesystem::path current_directory() {
  std::error_code error;
  std::filesystem::path directory = std::filesystem::current_path(error);
  if (!error) return directory;
  if (error.value() == ENOENT) {
    throw Error("the current directory was deleted", ExitCode::kEnvironmentFailed,
                "change to a directory that exists");
  }
  throw SystemError(error.value(), "find the current directory", {}, ExitCode::kEnvironmentFailed,
                    "change to a directory that you can read");
}

std::filesystem::path absolute_path(const std::filesystem::path& path) {
  if (path.is_absolute()) return path.lexically_normal();
  return (current_directory() / path).lexically_normal();
}

}  // namespace isoenv
