#include "isoenv/log.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <regex>
#include <utility>

#include "isoenv/error.h"
#include "source/log_state.h"

namespace isoenv::inline client {
namespace {

/// std::regex recurses for each character that it matches.
constexpr std::size_t kSearched = 4096;
constexpr std::size_t kShownLines = 10;
/// How long the end of an instance may stay unnoticed when no event tells it.
constexpr std::chrono::milliseconds kLook{1000};

Descriptor open_log(const std::filesystem::path& file) {
  return Descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
}

bool is_same_file(const Descriptor& one, const Descriptor& other) {
  struct stat a {};
  struct stat b {};
  return ::fstat(*one, &a) == 0 && ::fstat(*other, &b) == 0 && a.st_dev == b.st_dev &&
         a.st_ino == b.st_ino;
}

/// `web.old.log` of `web.log`.
std::filesystem::path older_file(std::filesystem::path file) {
  return file.replace_extension(".old.log");
}

/// Tells when something in the folder of the logs was written, renamed or closed.
class FolderWatch {
 public:
  explicit FolderWatch(const std::filesystem::path& folder)
      : inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    constexpr std::uint32_t kEvents = IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE;
    if (inotify_ && ::inotify_add_watch(*inotify_, folder.c_str(), kEvents) >= 0) return;
    throw EnvironmentError("cannot watch '" + folder.string() + "': " + std::strerror(errno));
  }

  void wait(std::chrono::milliseconds longest) {
    pollfd event{*inotify_, POLLIN, 0};
    ::poll(&event, 1, static_cast<int>(longest.count()));
    char ignored[4096];
    while (::read(*inotify_, ignored, sizeof ignored) > 0) {
    }
  }

 private:
  Descriptor inotify_;
};

std::string last_of(const std::deque<std::string>& lines) {
  if (lines.empty()) return "; there was no line";
  const std::size_t shown = std::min(lines.size(), kShownLines);
  std::string text = "; of " + std::to_string(lines.size()) +
                     (lines.size() == 1 ? " line" : " lines") + " the last were:";
  for (std::size_t i = lines.size() - shown; i < lines.size(); ++i) {
    text += "\n    | " + lines[i];
  }
  return text;
}

}  // namespace

LogReader::LogReader(std::filesystem::path file, LogPlace place)
    : file_(std::move(file)), current_(open_log(file_)) {
  if (place == LogPlace::kEnd) {
    if (current_) ::lseek(*current_, 0, SEEK_END);
    return;
  }
  Descriptor older = open_log(older_file(file_));
  if (older && !(current_ && is_same_file(older, current_))) older_.push_back(std::move(older));
}

bool LogReader::next(std::string& line) {
  for (;;) {
    const std::size_t end = pending_.find('\n', consumed_);
    if (end != std::string::npos) {
      line.assign(pending_, consumed_, end - consumed_);
      consumed_ = end + 1;
      return true;
    }
    pending_.erase(0, consumed_);
    consumed_ = 0;
    if (!read_more()) return false;
  }
}

bool LogReader::read_more() {
  char chunk[64 * 1024];
  for (;;) {
    const bool is_older = !older_.empty();
    const int from = is_older ? *older_.front() : *current_;
    const ssize_t length = from < 0 ? 0 : ::read(from, chunk, sizeof chunk);
    if (length > 0) {
      pending_.append(chunk, static_cast<std::size_t>(length));
      return true;
    }
    if (length < 0 && errno == EINTR) continue;
    if (is_older) {
      older_.pop_front();
    } else if (!open_next()) {
      return false;
    }
  }
}

/// False while the file being read is the one that is written. What was written to it before it was
/// renamed is read first, once more: it may have come after the last look.
bool LogReader::open_next() {
  Descriptor newest = open_log(file_);
  if (!newest || (current_ && is_same_file(newest, current_))) return false;
  Descriptor between = open_log(older_file(file_));
  const bool missed_one =
      between && !(current_ && is_same_file(between, current_)) && !is_same_file(between, newest);
  if (current_) older_.push_back(std::move(current_));
  if (missed_one) older_.push_back(std::move(between));
  current_ = std::move(newest);
  return true;
}

Log::State::State(std::shared_ptr<const Instance> of, std::size_t position, LogPlace place)
    : instance(std::move(of)), service(position), reader(instance->services[service].log, place) {}

Log::Log(std::unique_ptr<State> state) : state_(std::move(state)) {}
Log::~Log() = default;
Log::Log(Log&&) noexcept = default;
Log& Log::operator=(Log&&) noexcept = default;

std::vector<std::string> Log::lines() {
  std::vector<std::string> lines(std::make_move_iterator(state_->unread.begin()),
                                 std::make_move_iterator(state_->unread.end()));
  state_->unread.clear();
  for (std::string line; state_->reader.next(line);) lines.push_back(std::move(line));
  return lines;
}

std::string Log::wait_for(const std::string& regex, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  const std::regex wanted(regex);
  const Instance& instance = *state_->instance;
  const std::string& name = instance.services[state_->service].name;
  FolderWatch watch(instance.artefacts);  // set before the first look, so that no line is missed
  std::deque<std::string>& unread = state_->unread;
  bool alive = true;
  for (std::size_t looked_at = 0;;) {
    for (std::string line; state_->reader.next(line);) unread.push_back(std::move(line));
    for (; looked_at < unread.size(); ++looked_at) {
      const std::string& line = unread[looked_at];
      const auto end = line.begin() + static_cast<std::ptrdiff_t>(std::min(line.size(), kSearched));
      if (!std::regex_search(line.begin(), end, wanted)) continue;
      std::string found = line;
      unread.erase(unread.begin(), unread.begin() + static_cast<std::ptrdiff_t>(looked_at) + 1);
      return found;
    }
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const std::string what = "no line of service '" + name + "' matched '" + regex + "'";
    if (!alive) throw EnvironmentError(what + " before its instance ended" + last_of(unread));
    if (left.count() <= 0) {
      throw EnvironmentError(what + " within " + std::to_string(patience.count()) + " ms" +
                             last_of(unread));
    }
    watch.wait(std::min(left, kLook));
    alive = instance.connection.is_alive();  // asked before the last look
  }
}

}  // namespace isoenv::inline client
