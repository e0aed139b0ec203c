#include "harness/log_slices.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/unique_fd.h"

namespace isoenv {
namespace {

constexpr std::string_view kEnding = ".log";
constexpr std::string_view kOldEnding = ".old";

/// `db` of `db.log`; "" for another file, and for one that began anew.
std::string log_name(std::string_view file) {
  if (!file.ends_with(kEnding)) return "";
  file.remove_suffix(kEnding.size());
  return std::string(file.ends_with(kOldEnding) ? "" : file);
}

std::vector<std::string> log_names(const std::filesystem::path& directory) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(directory.c_str()), ::closedir);
  if (!entries) return names;
  while (const dirent* entry = ::readdir(entries.get())) {
    std::string name = log_name(entry->d_name);
    if (!name.empty()) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace

/// statx(2); the time of birth stays 0 on file systems that do not know it.
std::optional<LogSlices::Mark> LogSlices::Mark::read(int directory, const std::string& path,
                                                     int flags) {
  struct statx status {};
  const int wanted = flags | AT_SYMLINK_NOFOLLOW;
  if (::statx(directory, path.c_str(), wanted, STATX_BASIC_STATS | STATX_BTIME, &status) != 0 ||
      !S_ISREG(status.stx_mode)) {
    return std::nullopt;
  }
  return Mark{status.stx_ino, status.stx_btime.tv_sec, status.stx_btime.tv_nsec,
              static_cast<off_t>(status.stx_size)};
}

bool LogSlices::Mark::same_file(const Mark& other) const noexcept {
  return file == other.file && born_seconds == other.born_seconds &&
         born_nanoseconds == other.born_nanoseconds && size <= other.size;
}

/// A log as it is now.
struct LogSlices::OpenLog {
  UniqueFd file;
  std::optional<Mark> now;

  explicit OpenLog(const std::filesystem::path& path)
      : file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)) {
    if (file) now = Mark::read(*file, "", AT_EMPTY_PATH);
  }

  /// Appends what stands from `begin` on, at most the last `most` bytes. Returns what was left out.
  std::size_t read(off_t begin, std::size_t most, std::string& text) const {
    if (!now || now->size <= begin) return 0;
    const auto size = static_cast<std::size_t>(now->size - begin);
    const std::size_t taken = std::min(size, most);
    const std::size_t old_size = text.size();
    text.resize(old_size + taken);
    const ssize_t got =
        ::pread(*file, text.data() + old_size, taken, begin + static_cast<off_t>(size - taken));
    text.resize(old_size + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return size - taken;
  }
};

LogSlices::LogSlices(std::filesystem::path directory) : directory_(std::move(directory)) {
  for (const std::string& name : log_names(directory_)) {
    const std::filesystem::path file = directory_ / (name + std::string(kEnding));
    if (const auto mark = Mark::read(AT_FDCWD, file, 0)) marks_.emplace(name, *mark);
  }
}

LogSlices::LogSlices(std::filesystem::path directory, const std::string& marks)
    : directory_(std::move(directory)) {
  try {
    for (const auto& mark : nlohmann::json::parse(marks)) {
      marks_.emplace(mark.at(0).get<std::string>(),
                     Mark{mark.at(1), mark.at(2), mark.at(3), mark.at(4)});
    }
  } catch (const nlohmann::json::exception& error) {
    throw Error(std::string("the ends of the logs make no sense: ") + error.what());
  }
}

std::string LogSlices::marks() const {
  auto array = nlohmann::json::array();
  for (const auto& [name, mark] : marks_) {
    array.push_back({name, mark.file, mark.born_seconds, mark.born_nanoseconds, mark.size});
  }
  return array.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string LogSlices::of(const std::string& name) const {
  const OpenLog now(directory_ / (name + ".log"));
  const OpenLog before(directory_ / (name + ".old.log"));
  const auto mark = marks_.find(name);
  const auto marked = [&](const OpenLog& log) {
    return mark != marks_.end() && log.now && mark->second.same_file(*log.now);
  };
  std::string text;
  std::size_t left_out = 0;
  if (marked(now)) {
    left_out = now.read(mark->second.size, kLongestSlice, text);
  } else {
    left_out = before.read(marked(before) ? mark->second.size : 0, kLongestSlice / 2, text);
    std::string rest;
    const std::size_t missing = now.read(0, kLongestSlice - text.size(), rest);
    left_out = missing == 0 ? left_out : left_out + text.size() + missing;
    text = missing == 0 ? text + rest : rest;
  }
  if (left_out == 0) return text;
  text.erase(0, text.find('\n') + 1);  // what is left begins with a line
  return "[isoenv: what stands before this is left out here; it is in " +
         (directory_ / (name + ".log")).string() + " as far as that goes back]\n" + text;
}

std::vector<std::string> LogSlices::services() const {
  std::vector<std::string> names = log_names(directory_);
  std::erase(names, "isoenv");
  std::erase(names, "keeper");
  std::sort(names.begin(), names.end());
  return names;
}

std::string lines_of(const std::string& timeline, const std::string& name) {
  std::string found;
  for (std::size_t begin = 0; begin < timeline.size();) {
    std::size_t end = timeline.find('\n', begin);
    end = end == std::string::npos ? timeline.size() : end + 1;
    const std::string_view line = std::string_view(timeline).substr(begin, end - begin);
    const std::size_t blank = line.find(' ');
    const std::string_view rest =
        blank == std::string_view::npos ? std::string_view() : line.substr(blank + 1);
    if (rest.starts_with(name) && rest.substr(name.size()).starts_with(' ')) found += line;
    begin = end;
  }
  return found;
}

std::string last_lines_of(const std::string& text, std::size_t count) {
  std::size_t begin = text.size();
  if (begin > 0 && text.back() == '\n') --begin;
  for (; count > 0; --count) {
    begin = begin == 0 ? std::string::npos : text.rfind('\n', begin - 1);
    if (begin == std::string::npos) return text;
  }
  return text.substr(begin + 1);
}

}  // namespace isoenv
