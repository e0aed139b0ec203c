// The shop's services as the tests see them: one blocking request, its status and its JSON.
//
// Throws boost::system::system_error when nobody answers and nlohmann::json::parse_error when the
// answer is not JSON; GoogleTest reports either as the test's failure.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <nlohmann/json.hpp>
#include <string>

namespace shop {

struct Service {
  std::string host;
  std::string port;
};

// Names and ports are fixed: every instance of the environment has these, and only sees its own.
inline const Service kUser{"user", "3000"};
inline const Service kOrder{"order", "3000"};
inline const Service kGateway{"gateway", "8080"};

struct Reply {
  unsigned status = 0;
  nlohmann::json body;
};

inline Reply send(const Service& service, boost::beast::http::verb verb, const std::string& path,
                  const std::string& body) {
  namespace http = boost::beast::http;
  boost::asio::io_context io;
  boost::asio::ip::tcp::resolver resolver(io);
  boost::beast::tcp_stream stream(io);
  stream.connect(resolver.resolve(service.host, service.port));

  http::request<http::string_body> request(verb, path, 11);
  request.set(http::field::host, service.host + ":" + service.port);
  request.set(http::field::content_type, "application/json");
  request.body() = body;
  request.keep_alive(false);
  request.prepare_payload();
  http::write(stream, request);

  boost::beast::flat_buffer buffer;
  http::response<http::string_body> response;
  http::read(stream, buffer, response);
  return {response.result_int(), nlohmann::json::parse(response.body())};
}

inline Reply get(const Service& service, const std::string& path) {
  return send(service, boost::beast::http::verb::get, path, "");
}

inline Reply post(const Service& service, const std::string& path, const nlohmann::json& body) {
  return send(service, boost::beast::http::verb::post, path, body.dump());
}

}  // namespace shop
