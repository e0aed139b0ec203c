#include "ready/notify_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <utility>

#include "base/error.h"
#include "base/unique_fd.h"
#include "ready/notification.h"

namespace isoenv {
namespace {

namespace asio = boost::asio;
using asio::redirect_error;
using asio::use_awaitable;

constexpr std::size_t kMaxMessage = 4096;
constexpr int kMessagesPerTurn = 64;  // then others have their turn

void remove_stale_socket(const std::filesystem::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) ::unlink(path.c_str());
}

UniqueFd bind_datagram_socket(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string& name = path.native();
  if (name.size() >= sizeof(address.sun_path)) {
    throw SystemError(ENAMETOOLONG, "bind the notify socket", name, ExitCode::kEnvironmentFailed,
                      "a unix socket's path has at most 107 bytes: use a shorter directory");
  }
  std::copy(name.begin(), name.end(), address.sun_path);

  UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) throw_errno("open the notify socket", name);
  remove_stale_socket(path);
  if (::bind(*socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    throw_errno("bind the notify socket", name);
  }
  return socket;
}

}  // namespace

struct NotifySocket::State {
  State(const asio::any_io_executor& executor, std::filesystem::path file,
        std::function<void()> on_ready)
      : path(std::move(file)), became_ready(std::move(on_ready)), socket(executor) {
    UniqueFd bound = bind_datagram_socket(path);
    socket.assign(*bound);
    (void)bound.release();
  }

  void close() noexcept {
    closed = true;
    boost::system::error_code ignored;
    socket.close(ignored);
    ::unlink(path.c_str());
  }

  /// False when no message is waiting.
  bool receive_one();
  static asio::awaitable<void> receive(std::shared_ptr<State> state);

  std::filesystem::path path;
  std::function<void()> became_ready;
  asio::posix::stream_descriptor socket;
  bool closed = false;
  bool ready = false;
  std::string status;
};

bool NotifySocket::State::receive_one() {
  std::array<char, kMaxMessage> bytes{};
  const ssize_t size = ::recv(socket.native_handle(), bytes.data(), bytes.size(), MSG_TRUNC);
  if (size < 0) return false;
  const auto length = static_cast<std::size_t>(size);
  if (length > bytes.size()) return true;  // with MSG_TRUNC the real length: too long, ignored

  Notification said = parse_notification({bytes.data(), length});
  ready |= said.ready;
  if (said.status) status = std::move(*said.status);
  return true;
}

asio::awaitable<void> NotifySocket::State::receive(std::shared_ptr<State> state) {
  boost::system::error_code error;
  while (!state->closed) {
    co_await state->socket.async_wait(asio::posix::stream_descriptor::wait_read,
                                      redirect_error(use_awaitable, error));
    if (error || state->closed) co_return;
    const bool was_ready = state->ready;
    for (int count = 0; count < kMessagesPerTurn && state->receive_one(); ++count) {
    }
    if (state->ready && !was_ready && state->became_ready) state->became_ready();
  }
}

NotifySocket::NotifySocket(asio::any_io_executor executor, std::filesystem::path path,
                           std::function<void()> became_ready)
    : state_(std::make_shared<State>(executor, std::move(path), std::move(became_ready))) {
  asio::co_spawn(executor, State::receive(state_), asio::detached);
}

NotifySocket::~NotifySocket() {
  if (state_) state_->close();
}

NotifySocket::NotifySocket(NotifySocket&&) noexcept = default;

NotifySocket& NotifySocket::operator=(NotifySocket&& other) noexcept {
  if (this != &other) {
    if (state_) state_->close();
    state_ = std::move(other.state_);
  }
  return *this;
}

const std::filesystem::path& NotifySocket::path() const noexcept { return state_->path; }
bool NotifySocket::ready() const noexcept { return state_->ready; }
const std::string& NotifySocket::status() const noexcept { return state_->status; }

}  // namespace isoenv
