// The shop's one door: routes /users… to the service user and /orders… to the service order, and
// answers /health from both.
//
// Runs on one thread of one io_context. stop() lets every request under way finish; the
// io_context's run() then returns. Never keeps anything of a request.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <cstdint>
#include <set>

#include "upstream.h"

namespace shop {

class Gateway {
 public:
  /// Listens on `port` of every address, IPv6 and IPv4. Throws boost::system::system_error.
  Gateway(boost::asio::io_context& io, std::uint16_t port, Upstream user, Upstream order);

  void start();
  void stop();

 private:
  boost::asio::awaitable<void> accept_connections();
  boost::asio::awaitable<void> serve(boost::asio::ip::tcp::socket socket);
  boost::asio::awaitable<Response> answer(Request request);
  boost::asio::awaitable<Response> answer_health();

  boost::asio::io_context& io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  Upstream user_;
  Upstream order_;
  std::set<boost::beast::tcp_stream*> idle_;  // connections that wait for their next request
  bool stopping_ = false;
};

}  // namespace shop
