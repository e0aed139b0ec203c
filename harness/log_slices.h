// What an instance's logs gained since a moment: of each log only its end is remembered.
//
// Taking the marks reads no log. A log that began anew meanwhile (log_file.h) is followed into its
// `.old.log`; a slice longer than kLongestSlice loses its beginning, and says so.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace isoenv {

class LogSlices {
 public:
  static constexpr std::size_t kLongestSlice = std::size_t{4} << 20U;

  /// Marks the ends of all logs in an artefact directory, as far as there are any.
  explicit LogSlices(std::filesystem::path directory);

  /// The marks of another process, of the same logs: as marks() has told them. Throws Error when it
  /// has not.
  LogSlices(std::filesystem::path directory, const std::string& marks);
  std::string marks() const;

  const std::filesystem::path& directory() const noexcept { return directory_; }

  /// What `<name>.log` gained since; "" when nothing.
  std::string of(const std::string& name) const;
  /// The logs that there are now, by name, sorted; without `isoenv` and `keeper`.
  std::vector<std::string> services() const;

 private:
  /// Which file, and its end. A number that is free is soon another file's: hence the birth.
  struct Mark {
    std::uint64_t file = 0;
    std::int64_t born_seconds = 0;
    std::uint32_t born_nanoseconds = 0;
    off_t size = 0;

    static std::optional<Mark> read(int directory, const std::string& path, int flags);
    bool same_file(const Mark& other) const noexcept;
  };
  struct OpenLog;

  std::filesystem::path directory_;
  std::map<std::string, Mark> marks_;
};

/// Of a slice of the merged log, the lines of `name`.
std::string lines_of(const std::string& timeline, const std::string& name);

/// The last `count` lines of a text.
std::string last_lines_of(const std::string& text, std::size_t count);

}  // namespace isoenv
