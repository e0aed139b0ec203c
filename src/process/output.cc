#include "process/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <utility>

#include "base/event.h"

namespace isoenv {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kChunk = 64 * 1024;  // a pipe's default capacity, pipe(7)

}  // namespace

struct OutputCapture::State {
  State(asio::any_io_executor executor, int source_fd, LogFile log_, Sink sink_,
        std::shared_ptr<const Secrets> secrets)
      : source(executor, source_fd),
        log(std::move(log_)),
        redactor(std::move(secrets)),
        sink(std::move(sink_)),
        done(executor) {}

  asio::posix::stream_descriptor source;
  LogFile log;
  Redactor redactor;
  Sink sink;
  Event done;
  bool ended = false;

  /// Captures one pipe's worth without blocking. False at the end.
  bool read_some() {
    char chunk[kChunk];
    const ssize_t length = ::read(source.native_handle(), chunk, sizeof chunk);
    if (length < 0) return errno == EAGAIN || errno == EINTR;
    pass_on(redactor.feed({chunk, static_cast<std::size_t>(length)}));
    return length > 0;
  }

  void pass_on(std::string_view text) {
    if (text.empty()) return;
    log.append(text);
    sink(text);
  }

  static asio::awaitable<void> read(std::shared_ptr<State> state) {
    boost::system::error_code error;
    do {
      co_await state->source.async_wait(asio::posix::stream_descriptor::wait_read,
                                        asio::redirect_error(asio::use_awaitable, error));
    } while (!error && state->read_some());
    state->pass_on(state->redactor.finish());
    state->log.finish();
    state->ended = true;
    state->source.close(error);
    state->done.notify_all();
  }
};

OutputCapture::OutputCapture(asio::any_io_executor executor, UniqueFd source, LogFile log,
                             Sink sink, std::shared_ptr<const Secrets> secrets)
    : state_(std::make_shared<State>(executor, source.release(), std::move(log), std::move(sink),
                                     std::move(secrets))) {
  state_->source.non_blocking(true);
  asio::co_spawn(executor, State::read(state_), asio::detached);
}

OutputCapture::~OutputCapture() {
  if (!state_) return;
  state_->sink = [](std::string_view) {};
  stop();
}
OutputCapture::OutputCapture(OutputCapture&&) noexcept = default;
OutputCapture& OutputCapture::operator=(OutputCapture&&) noexcept = default;

std::string OutputCapture::losses() const { return state_->log.losses(); }

void OutputCapture::catch_up() {
  for (int chunk = 0; chunk < 16 && !state_->ended; ++chunk) {
    int waiting = 0;
    if (::ioctl(state_->source.native_handle(), FIONREAD, &waiting) != 0 || waiting <= 0) return;
    state_->read_some();
  }
}

void OutputCapture::stop() noexcept {
  boost::system::error_code ignored;
  if (!state_->ended) state_->source.cancel(ignored);
}

bool OutputCapture::is_drained() const noexcept { return state_->ended; }

asio::awaitable<void> OutputCapture::drained() {
  const auto state = state_;
  while (!state->ended) co_await state->done.wait();
}

}  // namespace isoenv
