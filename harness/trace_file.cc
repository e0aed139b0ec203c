#include "harness/trace_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "base/absolute_path.h"
#include "base/error.h"
#include "base/unique_fd.h"

namespace isoenv {
namespace {

using Json = nlohmann::ordered_json;

/// Whole microseconds: then two moments that are the same stay so, whatever a reader makes of
/// fractions, and spans stay nested.
std::int64_t microseconds(Clock::TimePoint origin, Clock::TimePoint moment) {
  return std::chrono::floor<std::chrono::microseconds>(moment - origin).count();
}

class Tracks {
 public:
  struct Place {
    std::size_t process = 0;
    std::size_t thread = 0;
  };

  /// New ones are numbered as they come, and named.
  Place of(const TraceSpan& span, std::vector<Json>& events) {
    const auto [group, new_group] = groups_.emplace(span.group, groups_.size() + 1);
    const std::size_t process = group->second;
    if (new_group) name(events, "process", process, 0, span.group, process);
    const auto [track, new_track] =
        tracks_.emplace(std::pair(span.group, span.track), tracks_.size() + 1);
    if (new_track) name(events, "thread", process, track->second, span.track, track->second);
    return {process, track->second};
  }

 private:
  static void name(std::vector<Json>& events, const std::string& what, std::size_t process,
                   std::size_t thread, const std::string& name, std::size_t order) {
    const auto add = [&](const std::string& key, Json value) {
      events.push_back({{"ph", "M"},
                        {"name", what + "_" + key},
                        {"pid", process},
                        {"tid", thread},
                        {"ts", 0},
                        {"args", {{key, std::move(value)}}}});
    };
    add("name", name);
    add("sort_index", order);
  }

  std::map<std::string, std::size_t> groups_;
  std::map<std::pair<std::string, std::string>, std::size_t> tracks_;
};

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& why) {
  throw Error("the trace '" + path.string() + "' cannot be written: " + why, ExitCode::kUsage,
              "name a file in a folder that can be written");
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t length = ::write(fd, text.data(), text.size());
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(length));
  }
  return true;
}

std::filesystem::path draft_of(const std::filesystem::path& path) {
  return path.parent_path() / ("." + path.filename().string() + "." + std::to_string(::getpid()));
}

/// Empty, with errno, where it cannot be made.
UniqueFd open_draft(const std::filesystem::path& path) {
  const std::filesystem::path draft = draft_of(path);
  ::unlink(draft.c_str());  // of a process that had our pid, and was killed at it
  return UniqueFd(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
}

}  // namespace

std::string trace_json(const std::vector<TraceSpan>& spans) {
  Clock::TimePoint origin = Clock::TimePoint::max();
  for (const TraceSpan& span : spans) origin = std::min(origin, span.begin);
  std::vector<Json> names;
  std::vector<std::pair<std::int64_t, Json>> events;
  Tracks tracks;
  for (const TraceSpan& span : spans) {
    const Tracks::Place place = tracks.of(span, names);
    const std::int64_t begin = microseconds(origin, span.begin);
    Json event{{"ph", span.end ? "X" : "i"}, {"name", span.name},   {"cat", span.group},
               {"pid", place.process},       {"tid", place.thread}, {"ts", begin}};
    if (span.end) {
      event["dur"] = microseconds(origin, *span.end) - begin;
    } else {
      event["s"] = "t";
    }
    events.emplace_back(begin, std::move(event));
  }
  // What is around another begins before it, or at the same time and stands before it already.
  std::stable_sort(events.begin(), events.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  const auto dump = [](const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
  };
  std::string text = "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [";
  const char* separator = "\n";
  for (const Json& event : names) text += std::exchange(separator, ",\n") + dump(event);
  for (const auto& [begin, event] : events) text += std::exchange(separator, ",\n") + dump(event);
  return text + "\n]}\n";
}

bool wants_trace() {
  const char* wanted = std::getenv("ISOENV_TRACE");
  return wanted != nullptr && *wanted != '\0' && std::string_view(wanted) != "0";
}

TraceFile::TraceFile(const std::filesystem::path& path) : path_(absolute_path(path)) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path_, error);
  if (std::filesystem::exists(status)) {
    if (!std::filesystem::is_regular_file(status)) refuse(path, "it is there, and is no file");
    path_ = std::filesystem::canonical(path_);  // a link stays one
  } else if (std::filesystem::is_symlink(std::filesystem::symlink_status(path_, error))) {
    refuse(path, "it is a link that leads nowhere");
  }
  const std::filesystem::path folder = path_.parent_path();
  if (!path_.has_filename()) refuse(path, "it names a folder");
  if (!std::filesystem::is_directory(folder, error)) {
    refuse(path, "there is no folder '" + folder.string() + "'");
  }
  if (!open_draft(path_)) refuse(path, errno_text(errno));
  ::unlink(draft_of(path_).c_str());
}

void TraceFile::write(const std::vector<TraceSpan>& spans) const {
  const std::filesystem::path draft = draft_of(path_);
  const std::string text = trace_json(spans);
  const auto fail = [&](int number) {
    ::unlink(draft.c_str());
    throw SystemError(number, "write the trace", path_.string());
  };
  const UniqueFd file = open_draft(path_);
  if (!file) fail(errno);
  if (!write_all(*file, text)) fail(errno);
  if (::rename(draft.c_str(), path_.c_str()) != 0) fail(errno);
}

void TraceFile::write(const std::string& command, const CommandPhases& phases,
                      const Timing& timing) const {
  const std::string track = "isoenv " + command + ", pid " + std::to_string(::getpid());
  std::vector<TraceSpan> spans;
  spans.push_back({"isoenv", track, command, phases.front().begin, phases.back().end});
  for (const StartPhase& phase : phases) {
    spans.push_back({"isoenv", track, phase.name, phase.begin, phase.end});
  }
  spans.insert(spans.end(), timing.spans.begin(), timing.spans.end());
  write(spans);
}

}  // namespace isoenv
