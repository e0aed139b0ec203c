#include "harness/control_server.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <exception>
#include <list>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/event.h"
#include "harness/peer.h"

namespace isoenv {
namespace {

namespace asio = boost::asio;
using Local = asio::local::stream_protocol;

constexpr std::size_t kReadAtOnce = 16 * 1024;
/// When the process has no descriptor left for a newcomer: others close theirs meanwhile.
constexpr std::chrono::milliseconds kOutOfDescriptors{10};

/// Born with mode 0600 (bind(2) takes the socket's own mode and removes the umask's bits); nobody
/// can connect before listen(2). An odd umask may have removed too much.
Local::acceptor listen_on(const asio::any_io_executor& executor, const std::string& path) try {
  ::unlink(path.c_str());
  Local::acceptor acceptor(executor);
  acceptor.open();
  if (::fchmod(acceptor.native_handle(), 0600) != 0) throw_errno("restrict", path);
  acceptor.bind(Local::endpoint(path));
  if (::chmod(path.c_str(), 0600) != 0) throw_errno("restrict", path);
  acceptor.listen();
  return acceptor;
} catch (const boost::system::system_error& error) {
  throw SystemError(error.code().value(), "listen on", path);
}

/// Most descriptors are for services.
ControlLimits within_descriptors(ControlLimits limits) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    limits.clients = std::min<std::size_t>(limits.clients, std::max<rlim_t>(files.rlim_cur / 4, 1));
  }
  return limits;
}

Answer refusal(const std::string& message) {
  Answer answer;
  answer.error = Error(message, ExitCode::kUsage);
  return answer;
}

}  // namespace

struct ControlServer::State : std::enable_shared_from_this<ControlServer::State> {
  /// One connection; its coroutine owns it, the list lends it for eviction.
  struct Client {
    explicit Client(Local::socket accepted)
        : socket(std::move(accepted)), deadline(socket.get_executor()) {}

    Local::socket socket;
    asio::steady_timer deadline;
    std::string received;
    std::size_t searched = 0;  // of `received`, for the end of the line
    std::uint64_t number = 0;
    bool kept = false;    // never turned away
    bool asked = false;   // has sent a whole request
    bool busy = false;    // a request is being carried out
    bool taking = false;  // its answer is being written

    /// Tells what it can without waiting, and ends both directions: the coroutine wakes up.
    void turn_away(const std::string& why) {
      const std::string line = encode(refusal(why)) + "\n";
      (void)!::send(socket.native_handle(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      hang_up();
    }
    void hang_up() {
      boost::system::error_code ignored;
      socket.shutdown(Local::socket::shutdown_both, ignored);
    }
  };
  State(asio::any_io_executor executor_, const std::string& path, Respond respond_,
        ControlLimits limits_, Gone gone_)
      : executor(executor_),
        acceptor(listen_on(executor_, path)),
        respond(std::move(respond_)),
        gone(std::move(gone_)),
        limits(limits_),
        written(executor_) {}

  asio::any_io_executor executor;
  Local::acceptor acceptor;
  Respond respond;
  Gone gone;
  ControlLimits limits;
  Event written;
  std::list<std::shared_ptr<Client>> clients;  // in the order in which they came or fell idle
  std::size_t owed = 0;
  std::uint64_t last_number = 0;
  bool open = false;

  static asio::awaitable<void> accept(std::shared_ptr<State> self);
  static asio::awaitable<void> converse(std::shared_ptr<State> self,
                                        std::shared_ptr<Client> client);
  asio::awaitable<std::optional<std::string>> next_line(std::shared_ptr<Client> client);
  asio::awaitable<Answer> answer(std::string line, std::uint64_t client);
  asio::awaitable<bool> deliver(std::shared_ptr<Client> client, Answer reply);
  void admit(Local::socket socket);
  bool make_room();
};

ControlServer::ControlServer(asio::any_io_executor executor, const std::string& path,
                             Respond respond, ControlLimits limits, Gone gone)
    : state_(std::make_shared<State>(std::move(executor), path, std::move(respond),
                                     within_descriptors(limits), std::move(gone))) {}

ControlServer::~ControlServer() = default;

void ControlServer::open() {
  state_->open = true;
  asio::co_spawn(state_->executor, State::accept(state_), asio::detached);
}

void ControlServer::close() { state_->open = false; }

void ControlServer::keep(std::uint64_t client) {
  for (const auto& candidate : state_->clients) {
    if (candidate->number == client) candidate->kept = true;
  }
}

std::size_t ControlServer::owed() const noexcept { return state_->owed; }

std::size_t ControlServer::clients() const noexcept { return state_->clients.size(); }

asio::awaitable<void> ControlServer::answered() { return state_->written.wait(); }

asio::awaitable<void> ControlServer::State::accept(std::shared_ptr<State> self) {
  boost::system::error_code error;
  asio::steady_timer pause(self->executor);
  while (self->open) {
    Local::socket socket(self->executor);
    co_await self->acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::operation_aborted) co_return;
    if (error) {
      (void)self->make_room();
      pause.expires_after(kOutOfDescriptors);
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    self->admit(std::move(socket));
  }
}

void ControlServer::State::admit(Local::socket socket) {
  const auto client = std::make_shared<Client>(std::move(socket));
  client->number = ++last_number;
  const std::string stranger = why_not_to_talk_to(client->socket.native_handle());
  if (!stranger.empty()) return client->turn_away(stranger);
  if (clients.size() >= limits.clients && !make_room()) {
    return client->turn_away("the instance has " + std::to_string(clients.size()) +
                             " requests under way and takes no more at once");
  }
  clients.push_back(client);
  asio::co_spawn(executor, converse(shared_from_this(), client), asio::detached);
}

/// Turns one client away, by the rule of ControlLimits. False when all are busy.
bool ControlServer::State::make_room() {
  const auto silent = [](const auto& client) { return !client->asked; };
  const auto slow = [](const auto& client) { return client->taking; };
  const auto idle = [](const auto& client) { return !client->busy && !client->kept; };
  auto place = std::find_if(clients.begin(), clients.end(), silent);
  if (place == clients.end()) place = std::find_if(clients.begin(), clients.end(), slow);
  if (place == clients.end()) {
    const auto last = std::find_if(clients.rbegin(), clients.rend(), idle);
    if (last == clients.rend()) return false;
    place = std::prev(last.base());
  }
  if ((*place)->taking) {
    (*place)->hang_up();  // it is in the middle of another line
  } else {
    (*place)->turn_away("too many clients at once: another has taken this place");
  }
  clients.erase(place);
  return true;
}

/// The client's whole life.
asio::awaitable<void> ControlServer::State::converse(std::shared_ptr<State> self,
                                                     std::shared_ptr<Client> client) {
  while (std::optional<std::string> line = co_await self->next_line(client)) {
    client->asked = true;
    client->busy = true;
    ++self->owed;
    Answer reply = co_await self->answer(std::move(*line), client->number);
    client->busy = false;
    client->taking = true;
    const bool taken = co_await self->deliver(client, std::move(reply));
    client->taking = false;
    --self->owed;
    self->written.notify_all();
    if (!taken) break;
    // Now it is the last one that has fallen idle.
    const auto place = std::find(self->clients.begin(), self->clients.end(), client);
    if (place != self->clients.end()) {
      self->clients.splice(self->clients.end(), self->clients, place);
    }
  }
  self->clients.remove(client);
  if (self->gone) self->gone(client->number);
}

/// None when the client has gone, was turned away, or has not sent a line within the limits.
asio::awaitable<std::optional<std::string>> ControlServer::State::next_line(
    std::shared_ptr<Client> client) {
  boost::system::error_code error;
  bool timed = false;
  for (;;) {
    const std::size_t end = client->received.find('\n', client->searched);
    if (end != std::string::npos) {
      std::string line = client->received.substr(0, end);
      client->received.erase(0, end + 1);
      client->searched = 0;
      client->deadline.cancel();
      co_return line;
    }
    client->searched = client->received.size();
    if (client->searched >= kLongestRequest) {
      client->turn_away("a request has at most " + std::to_string(kLongestRequest) + " bytes");
      break;
    }
    // Who has been answered may take any time to ask again, and no longer to finish than others.
    if (!timed && (!client->asked || client->searched > 0)) {
      timed = true;
      client->deadline.expires_after(limits.request);
      client->deadline.async_wait([client](const boost::system::error_code& cancelled) {
        if (!cancelled) client->turn_away("no whole request came in time");
      });
    }
    client->received.resize(std::min(client->searched + kReadAtOnce, kLongestRequest));
    const std::size_t length = co_await client->socket.async_read_some(
        asio::buffer(client->received.data() + client->searched,
                     client->received.size() - client->searched),
        asio::redirect_error(asio::use_awaitable, error));
    client->received.resize(client->searched + length);
    if (error) break;
  }
  client->deadline.cancel();
  co_return std::nullopt;
}

asio::awaitable<Answer> ControlServer::State::answer(std::string line, std::uint64_t client) {
  Answer reply;
  try {
    Request request = decode_request(line);
    request.client = client;
    line = {};
    reply = co_await respond(request);
  } catch (const std::exception& refused) {
    reply.error = told(refused);
  }
  co_return reply;
}

/// False when the client has gone or does not take its answer.
asio::awaitable<bool> ControlServer::State::deliver(std::shared_ptr<Client> client, Answer reply) {
  std::string text = encode(reply) + "\n";
  if (text.size() > kLongestAnswer) {
    text = encode(refusal("the answer has " + std::to_string(text.size()) + " bytes, more than " +
                          std::to_string(kLongestAnswer) + ": ask for fewer services")) +
           "\n";
  }
  client->deadline.expires_after(limits.answer);
  client->deadline.async_wait([client](const boost::system::error_code& cancelled) {
    if (!cancelled) client->hang_up();
  });
  boost::system::error_code error;
  co_await asio::async_write(client->socket, asio::buffer(text),
                             asio::redirect_error(asio::use_awaitable, error));
  client->deadline.cancel();
  co_return !error;
}

}  // namespace isoenv
