#include "ready/sanitizer_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <system_error>
#include <utility>

#include "base/unique_fd.h"

namespace isoenv {
namespace {

constexpr std::string_view kVariables[] = {"ASAN_OPTIONS", "LSAN_OPTIONS",  "MSAN_OPTIONS",
                                           "TSAN_OPTIONS", "UBSAN_OPTIONS", "HWASAN_OPTIONS"};
constexpr std::string_view kBetween = " ,:\n\t\r";
constexpr off_t kMost = off_t{1} << 20U;

/// `asan.12` and `asan.program.12` of `asan`.
bool is_report(std::string_view name, std::string_view of) {
  if (!name.starts_with(of) || name.size() <= of.size() || name[of.size()] != '.') return false;
  const std::string_view number = name.substr(name.rfind('.') + 1);
  return !number.empty() && std::all_of(number.begin(), number.end(),
                                        [](unsigned char c) { return std::isdigit(c) != 0; });
}

}  // namespace

std::string sanitizer_log_path(std::string_view options) {
  std::string path;
  for (std::size_t at = 0; at < options.size();) {
    if (kBetween.find(options[at]) != std::string_view::npos) {
      ++at;
      continue;
    }
    const std::size_t equals = options.find('=', at);
    if (equals == std::string_view::npos) break;
    const std::string_view name = options.substr(at, equals - at);
    std::size_t begin = equals + 1;
    std::size_t end = 0;
    if (begin < options.size() && (options[begin] == '"' || options[begin] == '\'')) {
      end = options.find(options[begin], begin + 1);
      ++begin;
    } else {
      end = options.find_first_of(kBetween, begin);
    }
    end = std::min(end, options.size());
    if (name == "log_path") path = options.substr(begin, end - begin);
    at = end + 1;
  }
  return path == "stdout" || path == "stderr" ? "" : path;
}

bool SanitizerFiles::Stamp::operator==(const Stamp& other) const noexcept {
  return file == other.file && size == other.size && changed.tv_sec == other.changed.tv_sec &&
         changed.tv_nsec == other.changed.tv_nsec;
}

SanitizerFiles::SanitizerFiles(const StringBlock& environment,
                               const std::filesystem::path& working_directory, uid_t owner,
                               Listen listen, std::shared_ptr<const Secrets> secrets)
    : owner_(owner), listen_(std::move(listen)), secrets_(std::move(secrets)) {
  for (const std::string_view entry : environment) {
    const std::size_t equals = entry.find('=');
    const std::string_view name = entry.substr(0, equals);
    if (std::find(std::begin(kVariables), std::end(kVariables), name) == std::end(kVariables)) {
      continue;
    }
    const std::string path = sanitizer_log_path(entry.substr(equals + 1));
    if (path.empty()) continue;
    std::filesystem::path whole = working_directory / path;
    if (std::find(log_paths_.begin(), log_paths_.end(), whole) == log_paths_.end()) {
      log_paths_.push_back(std::move(whole));
    }
  }
  for_each_file([this](const std::filesystem::path& path, int, const Stamp& stamp) {
    reports_[path].stamp = stamp;
  });
}

/// Calls `take` with each file's path, descriptor and stamp.
template <typename Take>
void SanitizerFiles::for_each_file(Take take) const {
  for (const std::filesystem::path& log_path : log_paths_) {
    const std::string name = log_path.filename();
    std::error_code error;
    for (std::filesystem::directory_iterator entry(log_path.parent_path(), error), end;
         !error && entry != end; entry.increment(error)) {
      const std::filesystem::path& path = entry->path();
      if (!is_report(path.filename().string(), name)) continue;
      const UniqueFd file(
          ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
      struct stat status {};
      if (!file || ::fstat(*file, &status) != 0) continue;
      if (!S_ISREG(status.st_mode) || status.st_uid != owner_) continue;
      take(path, *file, Stamp{status.st_ino, status.st_size, status.st_mtim});
    }
  }
}

void SanitizerFiles::read() {
  for_each_file([this](const std::filesystem::path& path, int file, const Stamp& stamp) {
    read(path, file, stamp);
  });
}

void SanitizerFiles::read(const std::filesystem::path& path, int file, const Stamp& stamp) {
  Report& report = reports_[path];
  if (report.stamp == stamp) return;
  // A process begins its file anew, also one that an earlier process of that number has left.
  const bool anew =
      !report.watch || stamp.file != report.stamp.file || stamp.size < report.stamp.size;
  report.stamp = stamp;
  if (anew) {
    report.taken = 0;
    report.watch = std::make_unique<SanitizerWatch>(listen_(path));
    report.redactor = Redactor(secrets_);
  }
  std::string text(
      static_cast<std::size_t>(std::max<off_t>(std::min(stamp.size, kMost) - report.taken, 0)),
      '\0');
  const ssize_t length = ::pread(file, text.data(), text.size(), report.taken);
  if (length <= 0) return;
  text.resize(static_cast<std::size_t>(length));
  report.taken += length;
  report.watch->feed(report.redactor.feed(text));
}

void SanitizerFiles::finish() {
  read();
  for (auto& [path, report] : reports_) {
    if (!report.watch) continue;
    report.watch->feed(report.redactor.finish());
    report.watch->finish();
  }
}

}  // namespace isoenv
