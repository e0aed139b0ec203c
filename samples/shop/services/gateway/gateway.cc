#include "gateway.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "log.h"

namespace shop {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

constexpr std::chrono::seconds kIdleLimit{30};
constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);

tcp::acceptor listen(asio::io_context& io, std::uint16_t port) {
  tcp::acceptor acceptor(io);
  beast::error_code error;
  acceptor.open(tcp::v6(), error);
  const bool has_v6 = !error;
  if (has_v6) {
    acceptor.set_option(asio::ip::v6_only(false));
  } else {
    acceptor.open(tcp::v4());
  }
  acceptor.set_option(tcp::acceptor::reuse_address(true));
  acceptor.bind(tcp::endpoint(has_v6 ? tcp::v6() : tcp::v4(), port));
  acceptor.listen();
  return acceptor;
}

/// Whether `target` is `root` itself or lies below it: "/users", "/users/ada", "/users?x".
bool lies_under(std::string_view target, std::string_view root) {
  if (!target.starts_with(root)) return false;
  target.remove_prefix(root.size());
  return target.empty() || target.front() == '/' || target.front() == '?';
}

/// Keeps a connection in a set for as long as it waits for a request.
class IdleMark {
 public:
  IdleMark(std::set<beast::tcp_stream*>& idle, beast::tcp_stream& stream)
      : idle_(idle), stream_(&stream) {
    idle_.insert(stream_);
  }
  ~IdleMark() { idle_.erase(stream_); }
  IdleMark(const IdleMark&) = delete;
  IdleMark& operator=(const IdleMark&) = delete;

 private:
  std::set<beast::tcp_stream*>& idle_;
  beast::tcp_stream* stream_;
};

}  // namespace

Gateway::Gateway(asio::io_context& io, std::uint16_t port, Upstream user, Upstream order)
    : io_(io), acceptor_(listen(io, port)), user_(std::move(user)), order_(std::move(order)) {}

void Gateway::start() { asio::co_spawn(io_, accept_connections(), asio::detached); }

void Gateway::stop() {
  stopping_ = true;
  acceptor_.close();
  for (beast::tcp_stream* stream : idle_) stream->cancel();
}

asio::awaitable<void> Gateway::accept_connections() {
  while (!stopping_) {
    auto [error, socket] = co_await acceptor_.async_accept(kNoThrow);
    if (stopping_) co_return;
    if (error) {
      // Mostly a limit on descriptors: it ends when connections do, so trying at once is idle work.
      log("error", "cannot accept a connection", {{"error", error.message()}});
      asio::steady_timer pause(io_, kAcceptPause);
      co_await pause.async_wait(kNoThrow);
      continue;
    }
    asio::co_spawn(io_, serve(std::move(socket)), asio::detached);
  }
}

asio::awaitable<void> Gateway::serve(tcp::socket socket) {
  beast::tcp_stream stream(std::move(socket));
  beast::flat_buffer buffer;
  for (bool keep = true; keep;) {
    Request request;
    {
      const IdleMark idle(idle_, stream);
      stream.expires_after(kIdleLimit);
      const auto [error, size] = co_await http::async_read(stream, buffer, request, kNoThrow);
      if (error) break;
    }
    const auto begin = std::chrono::steady_clock::now();
    const std::string method(request.method_string());
    const std::string target(request.target());
    const bool client_keeps = request.keep_alive();
    Response response = co_await answer(std::move(request));
    keep = client_keeps && !stopping_;
    response.keep_alive(keep);
    const auto took = std::chrono::steady_clock::now() - begin;
    log("info", "request",
        {{"method", method},
         {"path", target},
         {"status", response.result_int()},
         {"ms", std::chrono::duration_cast<std::chrono::milliseconds>(took).count()}});

    stream.expires_after(kIdleLimit);
    const auto [error, size] = co_await http::async_write(stream, response, kNoThrow);
    if (error) break;
  }
  beast::error_code ignored;
  stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
}

asio::awaitable<Response> Gateway::answer(Request request) {
  const std::string target(request.target());
  if (target == "/health") co_return co_await answer_health();
  if (lies_under(target, "/users")) co_return co_await forward(user_, std::move(request));
  if (lies_under(target, "/orders")) co_return co_await forward(order_, std::move(request));
  co_return make_error(http::status::not_found, "gateway has no route to " + target);
}

asio::awaitable<Response> Gateway::answer_health() {
  nlohmann::ordered_json body{{"service", "gateway"}, {"status", "ok"}};
  for (const Upstream* upstream : {&user_, &order_}) {
    const Response reply = co_await forward(*upstream, Request(http::verb::get, "/health", 11));
    const bool healthy = reply.result() == http::status::ok;
    body[upstream->name] = healthy ? "ok" : "unhealthy";
    if (!healthy) body["status"] = "unhealthy";
  }
  const bool healthy = body["status"] == "ok";
  co_return make_response(healthy ? http::status::ok : http::status::service_unavailable,
                          body.dump() + "\n");
}

}  // namespace shop
