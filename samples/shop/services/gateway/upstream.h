// One service behind the gateway, and one request to it.
//
// Knows nothing of routes. Every failure to get an answer is an answer of its own: 502 when the
// service cannot be reached or breaks off, 504 when it is silent for too long; it never throws.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <string>
#include <string_view>

namespace shop {

using Request = boost::beast::http::request<boost::beast::http::string_body>;
using Response = boost::beast::http::response<boost::beast::http::string_body>;

struct Upstream {
  std::string name;
  std::string host;
  std::string port;
};

/// Reads "http://host:port". Throws std::invalid_argument when it is anything else.
Upstream parse_upstream(std::string name, std::string_view url);

/// An answer of the gateway's own; `body` is JSON text.
Response make_response(boost::beast::http::status status, std::string body);
Response make_error(boost::beast::http::status status, std::string_view message);

/// Sends `request` to `upstream` on a connection of its own and returns what it answers.
boost::asio::awaitable<Response> forward(Upstream upstream, Request request);

}  // namespace shop
