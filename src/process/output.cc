#include "process/output.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/event.h"
#include "base/syscall.h"

namespace isoenv {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kChunk = 64 * 1024;  // a pipe's default capacity, pipe(7)

/// A full disk must not end a service: what cannot be written is lost from the log alone.
void write_all(int fd, std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string time_of_day() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm local{};
  ::localtime_r(&now.tv_sec, &local);
  char text[32];
  std::snprintf(text, sizeof text, "%02d:%02d:%02d.%06ld", local.tm_hour, local.tm_min,
                local.tm_sec, now.tv_nsec / 1000);
  return text;
}

}  // namespace

MergedLog::MergedLog(const std::filesystem::path& file, std::size_t name_width)
    : file_(open_or_throw(file.string(), O_WRONLY | O_CREAT | O_APPEND)), name_width_(name_width) {}

void MergedLog::append(const std::string& name, std::string_view chunk) {
  std::string& unfinished = unfinished_[name];
  const std::string time = time_of_day() + " ";
  std::string text;
  for (;;) {
    const std::size_t newline = chunk.find('\n');
    const std::size_t room = kLongestLine - unfinished.size();
    if (newline == std::string_view::npos && chunk.size() <= room) break;
    const std::size_t length = std::min(newline, room);
    unfinished.append(chunk.substr(0, length));
    text += time;
    format(text, name, unfinished);
    unfinished.clear();
    chunk.remove_prefix(length == newline ? length + 1 : length);
  }
  unfinished.append(chunk);
  write(text);
}

void MergedLog::finish(const std::string& name) {
  const auto rest = unfinished_.find(name);
  if (rest == unfinished_.end() || rest->second.empty()) return;
  std::string text = time_of_day() + " ";
  format(text, name, rest->second);
  rest->second.clear();
  write(text);
}

void MergedLog::format(std::string& text, const std::string& name, std::string_view line) const {
  text += name;
  if (name.size() < name_width_) text.append(name_width_ - name.size(), ' ');
  text += " | ";
  text += line;
  text += '\n';
}

void MergedLog::write(const std::string& text) { write_all(*file_, text); }

struct OutputCapture::State {
  State(asio::any_io_executor executor, int source_fd)
      : source(executor, source_fd), done(executor) {}

  asio::posix::stream_descriptor source;
  UniqueFd file;
  Sink sink;
  Event done;
  bool ended = false;

  /// Captures one pipe's worth without blocking. False at the end.
  bool read_some() {
    char chunk[kChunk];
    const ssize_t length = ::read(source.native_handle(), chunk, sizeof chunk);
    if (length < 0) return errno == EAGAIN || errno == EINTR;
    const std::string_view text(chunk, static_cast<std::size_t>(length));
    write_all(*file, text);
    sink(text);
    return length > 0;
  }

  static asio::awaitable<void> read(std::shared_ptr<State> state) {
    boost::system::error_code error;
    do {
      co_await state->source.async_wait(asio::posix::stream_descriptor::wait_read,
                                        asio::redirect_error(asio::use_awaitable, error));
    } while (!error && state->read_some());
    state->ended = true;
    state->source.close(error);
    state->done.notify_all();
  }
};

OutputCapture::OutputCapture(asio::any_io_executor executor, UniqueFd source,
                             const std::filesystem::path& file, Sink sink) {
  UniqueFd log = open_or_throw(file.string(), O_WRONLY | O_CREAT | O_APPEND);
  state_ = std::make_shared<State>(executor, source.release());
  state_->source.non_blocking(true);
  state_->file = std::move(log);
  state_->sink = std::move(sink);
  asio::co_spawn(executor, State::read(state_), asio::detached);
}

OutputCapture::~OutputCapture() {
  if (!state_) return;
  state_->sink = [](std::string_view) {};
  stop();
}
OutputCapture::OutputCapture(OutputCapture&&) noexcept = default;
OutputCapture& OutputCapture::operator=(OutputCapture&&) noexcept = default;

void OutputCapture::stop() noexcept {
  boost::system::error_code ignored;
  if (!state_->ended) state_->source.cancel(ignored);
}

asio::awaitable<void> OutputCapture::drained() {
  const auto state = state_;
  while (!state->ended) co_await state->done.wait();
}

}  // namespace isoenv
