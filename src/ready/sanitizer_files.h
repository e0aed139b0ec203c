// The reports of sanitizers that a service writes into files: `log_path=…` of ASAN_OPTIONS and its
// like makes a file `….PID` for each process that has one.
//
// A service without such an option costs nothing. Files that were there before the service count
// only once they have changed. Only plain files of the service's own account are read, at most 1
// MiB of each, and never through a link; secrets are masked as in logs.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/string_block.h"
#include "process/redactor.h"
#include "ready/sanitizer_watch.h"

namespace isoenv {

/// The value of `log_path` in the options of a sanitizer; "" when there is none, or when it is a
/// stream (sanitizer_flag_parser.cpp: words stand between blanks, commas and colons; quotes hold).
std::string sanitizer_log_path(std::string_view options);

class SanitizerFiles {
 public:
  /// What to do with what a file tells.
  using Listen = std::function<SanitizerWatch::Listener(const std::filesystem::path& file)>;

  SanitizerFiles() = default;
  /// `environment`: `NAME=value` of a service that has not been started; `owner`: whose its files
  /// are. Looks at what files are there.
  SanitizerFiles(const StringBlock& environment, const std::filesystem::path& working_directory,
                 uid_t owner, Listen listen, std::shared_ptr<const Secrets> secrets);

  /// Takes in what was written since the last time.
  void read();
  /// Nothing more will be written: an unfinished last line counts as well.
  void finish();

 private:
  struct Stamp {
    std::uint64_t file = 0;
    off_t size = 0;
    timespec changed{};

    bool operator==(const Stamp& other) const noexcept;
  };
  struct Report {
    Stamp stamp;  // of the last time
    off_t taken = 0;
    std::unique_ptr<SanitizerWatch> watch;  // none for one that was there before
    Redactor redactor;
  };

  template <typename Take>
  void for_each_file(Take take) const;
  void read(const std::filesystem::path& path, int file, const Stamp& stamp);

  std::vector<std::filesystem::path> log_paths_;
  uid_t owner_ = 0;
  Listen listen_;
  std::shared_ptr<const Secrets> secrets_;
  std::map<std::filesystem::path, Report> reports_;
};

}  // namespace isoenv
