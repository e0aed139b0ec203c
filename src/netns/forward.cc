#include "netns/forward.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <list>
#include <unordered_set>
#include <utility>

#include "base/error.h"

namespace isoenv {
namespace {

namespace asio = boost::asio;
using asio::redirect_error;
using asio::use_awaitable;
using asio::ip::tcp;
using boost::system::error_code;

// Per direction of a connection. Carries as much per CPU second as splice(2) through a pipe of any
// size did when both were measured, without its two descriptors; only pages that are used cost
// memory.
constexpr std::size_t kBufferSize = 256 * 1024;

// When there is no descriptor or memory for a client, the listener stays readable: wait, not spin.
constexpr auto kAcceptPause = std::chrono::milliseconds(100);

constexpr int kBindAttempts = 64;

std::string loopback_name(int family, std::uint16_t port) {
  const std::string host = family == AF_INET ? "127.0.0.1:" : "[::1]:";
  return host + std::to_string(port);
}

[[noreturn]] void throw_bind_error(int family, std::uint16_t port) {
  const int error = errno;
  std::string hint;
  if (error == EADDRINUSE) hint = "another program listens there: end it, or choose another port";
  if (error == EACCES)
    hint = "ports below 1024 need a privilege on this machine: choose another port";
  throw SystemError(error, "listen on", loopback_name(family, port), ExitCode::kEnvironmentFailed,
                    hint);
}

UniqueFd open_tcp_socket(int family) {
  return UniqueFd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
}

/// Empty with errno set when the address cannot be had.
UniqueFd try_listen(int family, std::uint16_t port) {
  UniqueFd socket = open_tcp_socket(family);
  if (!socket) return {};
  const int on = 1;
  ::setsockopt(*socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));

  sockaddr_storage address{};
  socklen_t length = 0;
  if (family == AF_INET) {
    auto& ipv4 = reinterpret_cast<sockaddr_in&>(address);
    ipv4.sin_family = AF_INET;
    ipv4.sin_port = htons(port);
    ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    length = sizeof(ipv4);
  } else {
    auto& ipv6 = reinterpret_cast<sockaddr_in6&>(address);
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_port = htons(port);
    ipv6.sin6_addr = in6addr_loopback;
    length = sizeof(ipv6);
  }
  if (::bind(*socket, reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
      ::listen(*socket, SOMAXCONN) != 0) {
    const int error = errno;
    socket.reset();
    errno = error;
    return {};
  }
  return socket;
}

std::uint16_t bound_ipv4_port(const UniqueFd& socket) {
  sockaddr_in address{};
  socklen_t length = sizeof(address);
  if (::getsockname(*socket, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw_errno("read the port of", "a listening socket");
  }
  return ntohs(address.sin_port);
}

/// `socket` closes the descriptor from here on; on an exception its owner still does.
void hand_over(UniqueFd& descriptor, asio::posix::stream_descriptor& socket) {
  socket.assign(*descriptor);
  (void)descriptor.release();
}

void hand_over(UniqueFd& descriptor, tcp::socket& socket) {
  int family = AF_INET;
  socklen_t length = sizeof(family);
  ::getsockopt(*descriptor, SOL_SOCKET, SO_DOMAIN, &family, &length);
  socket.assign(family == AF_INET6 ? tcp::v6() : tcp::v4(), *descriptor);
  (void)descriptor.release();
}

bool has_no_ipv6_loopback(int error) { return error == EADDRNOTAVAIL || error == EAFNOSUPPORT; }

}  // namespace

LoopbackListener listen_on_loopback(std::uint16_t port, bool ipv6) {
  for (int attempt = 1;; ++attempt) {
    LoopbackListener listener;
    UniqueFd ipv4_socket = try_listen(AF_INET, port);
    if (!ipv4_socket) throw_bind_error(AF_INET, port);
    listener.port = bound_ipv4_port(ipv4_socket);
    listener.sockets.push_back(std::move(ipv4_socket));
    if (!ipv6) return listener;

    if (UniqueFd ipv6_socket = try_listen(AF_INET6, listener.port)) {
      listener.sockets.push_back(std::move(ipv6_socket));
      return listener;
    }
    if (has_no_ipv6_loopback(errno)) return listener;
    // A port the kernel picked for IPv4 may be taken on IPv6: let it pick another.
    if (port != 0 || errno != EADDRINUSE || attempt == kBindAttempts) {
      throw_bind_error(AF_INET6, listener.port);
    }
  }
}

struct Forwarder::State {
  struct Listener {
    asio::posix::stream_descriptor socket;  // only waits: Asio would accept without CLOEXEC
    asio::steady_timer pause;
  };

  State(asio::any_io_executor runs_on, LoopbackListener listener, tcp::endpoint target)
      : executor(std::move(runs_on)), service(std::move(target)), port(listener.port) {
    for (UniqueFd& socket : listener.sockets) {
      listeners.push_back({asio::posix::stream_descriptor(executor), asio::steady_timer(executor)});
      hand_over(socket, listeners.back().socket);
    }
  }

  void close() noexcept;
  static asio::awaitable<void> accept_clients(std::shared_ptr<State> state, Listener& listener);

  asio::any_io_executor executor;
  tcp::endpoint service;
  std::uint16_t port = 0;
  bool closed = false;
  std::list<Listener> listeners;  // a list: its coroutines hold references
  std::unordered_set<Connection*> connections;
};

// A client and its connection to the service. Held by the coroutines of both directions; the last
// one to end closes both sockets.
struct Forwarder::Connection {
  Connection(std::shared_ptr<State> owner, UniqueFd client_socket)
      : state(std::move(owner)), client(state->executor), service(state->executor) {
    hand_over(client_socket, client);
    state->connections.insert(this);
  }
  ~Connection() { state->connections.erase(this); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Both ends see a reset, and both directions' coroutines end.
  void reset() noexcept {
    for (tcp::socket* socket : {&client, &service}) {
      error_code ignored;
      socket->set_option(asio::socket_base::linger(true, 0), ignored);
      socket->close(ignored);
    }
  }

  static asio::awaitable<void> serve(std::shared_ptr<Connection> connection);
  static asio::awaitable<void> carry(std::shared_ptr<Connection> connection, tcp::socket& from,
                                     tcp::socket& to);

  std::shared_ptr<State> state;
  tcp::socket client;
  tcp::socket service;
};

asio::awaitable<void> Forwarder::Connection::serve(std::shared_ptr<Connection> connection) {
  tcp::socket& service = connection->service;
  const tcp::endpoint target = connection->state->service;
  error_code error;

  UniqueFd socket = open_tcp_socket(target.protocol().family());
  if (!socket || connection->state->closed) co_return connection->reset();
  hand_over(socket, service);
  co_await service.async_connect(target, redirect_error(use_awaitable, error));
  if (error) co_return connection->reset();

  // Whoever wrote small pieces meant them to arrive: the peers' own Nagle has decided already.
  const tcp::no_delay no_delay(true);
  service.set_option(no_delay, error);
  connection->client.set_option(no_delay, error);

  asio::co_spawn(connection->state->executor, carry(connection, service, connection->client),
                 asio::detached);
  co_await carry(connection, connection->client, service);
}

asio::awaitable<void> Forwarder::Connection::carry(std::shared_ptr<Connection> connection,
                                                   tcp::socket& from, tcp::socket& to) {
  const std::unique_ptr<char[]> storage(new char[kBufferSize]);
  const asio::mutable_buffer space(storage.get(), kBufferSize);
  error_code error;
  for (;;) {
    const std::size_t size =
        co_await from.async_read_some(space, redirect_error(use_awaitable, error));
    if (error) break;
    const asio::const_buffer bytes(storage.get(), size);
    co_await asio::async_write(to, bytes, redirect_error(use_awaitable, error));
    if (error) break;
  }
  // The end of one direction leaves the other open; anything else ends both.
  if (error == asio::error::eof) to.shutdown(tcp::socket::shutdown_send, error);
  if (error) connection->reset();
}

asio::awaitable<void> Forwarder::State::accept_clients(std::shared_ptr<State> state,
                                                       Listener& listener) {
  error_code error;
  while (!state->closed) {
    co_await listener.socket.async_wait(asio::posix::stream_descriptor::wait_read,
                                        redirect_error(use_awaitable, error));
    if (state->closed) co_return;

    UniqueFd client(
        ::accept4(listener.socket.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    const bool starved =
        !client && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS);
    if (client) {
      auto connection = std::make_shared<Connection>(state, std::move(client));
      asio::co_spawn(state->executor, Connection::serve(std::move(connection)), asio::detached);
    } else if (starved || error) {
      listener.pause.expires_after(kAcceptPause);
      co_await listener.pause.async_wait(redirect_error(use_awaitable, error));
    }
    // Any other error of accept(2) belongs to a client that is gone already.
  }
}

void Forwarder::State::close() noexcept {
  closed = true;
  for (Listener& listener : listeners) {
    error_code ignored;
    listener.socket.close(ignored);
    listener.pause.cancel();
  }
  for (Connection* connection : connections) connection->reset();
}

Forwarder::Forwarder(asio::any_io_executor executor, LoopbackListener listener,
                     const std::string& address, std::uint16_t port)
    : state_(std::make_shared<State>(std::move(executor), std::move(listener),
                                     tcp::endpoint(asio::ip::make_address(address), port))) {
  for (State::Listener& waiting : state_->listeners) {
    asio::co_spawn(state_->executor, State::accept_clients(state_, waiting), asio::detached);
  }
}

Forwarder::~Forwarder() {
  if (state_) state_->close();
}

Forwarder::Forwarder(Forwarder&&) noexcept = default;

Forwarder& Forwarder::operator=(Forwarder&& other) noexcept {
  if (this != &other) {
    if (state_) state_->close();
    state_ = std::move(other.state_);
  }
  return *this;
}

std::uint16_t Forwarder::port() const noexcept { return state_->port; }

std::size_t Forwarder::connections() const noexcept { return state_->connections.size(); }

}  // namespace isoenv
