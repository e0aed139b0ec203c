#include "upstream.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <chrono>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

namespace shop {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

constexpr std::chrono::seconds kPatience{5};
constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);

Response make_failure(const Upstream& upstream, std::string_view step,
                      const beast::error_code& error) {
  const bool late = error == beast::error::timeout;
  return make_error(late ? http::status::gateway_timeout : http::status::bad_gateway,
                    "cannot " + std::string(step) + " \"" + upstream.name + "\" at " +
                        upstream.host + ":" + upstream.port + ": " + error.message());
}

/// What holds for one connection only, and must not be passed on (RFC 9110, 7.6.1).
template <typename Message>
void drop_connection_fields(Message& message) {
  message.erase(http::field::connection);
  message.erase(http::field::keep_alive);
  message.erase(http::field::te);
  message.erase(http::field::upgrade);
  message.erase(http::field::expect);
}

}  // namespace

Upstream parse_upstream(std::string name, std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  const auto colon = url.rfind(':');
  if (!url.starts_with(kScheme) || colon <= kScheme.size() || colon + 1 >= url.size()) {
    throw std::invalid_argument("\"" + std::string(url) + "\" is not of the form http://host:port");
  }
  return {std::move(name), std::string(url.substr(kScheme.size(), colon - kScheme.size())),
          std::string(url.substr(colon + 1))};
}

Response make_response(http::status status, std::string body) {
  Response response(status, 11);
  response.set(http::field::content_type, "application/json");
  response.body() = std::move(body);
  response.prepare_payload();
  return response;
}

Response make_error(http::status status, std::string_view message) {
  const nlohmann::json body{{"error", message}};
  return make_response(status,
                       body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

asio::awaitable<Response> forward(Upstream upstream, Request request) {
  auto executor = co_await asio::this_coro::executor;
  asio::ip::tcp::resolver resolver(executor);
  const auto [resolve_error, endpoints] =
      co_await resolver.async_resolve(upstream.host, upstream.port, kNoThrow);
  if (resolve_error) co_return make_failure(upstream, "resolve", resolve_error);

  beast::tcp_stream stream(executor);
  stream.expires_after(kPatience);
  const auto [connect_error, endpoint] = co_await stream.async_connect(endpoints, kNoThrow);
  if (connect_error) co_return make_failure(upstream, "connect to", connect_error);

  drop_connection_fields(request);
  request.set(http::field::host, upstream.host + ":" + upstream.port);
  request.keep_alive(false);
  request.prepare_payload();
  const auto [write_error, written] = co_await http::async_write(stream, request, kNoThrow);
  if (write_error) co_return make_failure(upstream, "write to", write_error);

  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.skip(request.method() == http::verb::head);
  const auto [read_error, read] = co_await http::async_read(stream, buffer, parser, kNoThrow);
  if (read_error) co_return make_failure(upstream, "read from", read_error);

  Response response = parser.release();
  drop_connection_fields(response);
  response.chunked(false);
  response.prepare_payload();
  co_return response;
}

}  // namespace shop
