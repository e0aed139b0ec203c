#include "ready/http_probe.h"

#include <sys/socket.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/system/system_error.hpp>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/unique_fd.h"
#include "ready/http_answer.h"
#include "ready/listening.h"
#include "ready/pattern.h"

namespace isoenv {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::redirect_error;
using asio::use_awaitable;
using asio::ip::tcp;
using boost::system::error_code;

constexpr int kHttp11 = 11;
constexpr std::size_t kChunk = 16 * 1024;

struct Question {
  std::string address;
  std::uint16_t port = 0;
  http::request<http::empty_body> request;
  int status = 0;                 // 0: any 2xx
  const Pattern* body = nullptr;  // null: not judged
  std::chrono::milliseconds timeout{};
  std::chrono::steady_clock::time_point deadline;
};

struct Reply {
  ProbeResult result;
  bool refused = false;
};

Reply no(std::string answer) { return {{false, std::move(answer)}, false}; }

std::string name_of(const Question& question) {
  return "GET " + std::string(question.request.target());
}

void throw_if_cancelled(const error_code& error) {
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
}

std::string describe_failure(const Question& question, const error_code& error) {
  if (error == beast::error::timeout) {
    return "no answer within " + std::to_string(question.timeout.count()) + " ms";
  }
  if (error == asio::error::connection_reset || error == asio::error::broken_pipe) {
    return "the connection was closed without an answer";
  }
  return error.message();
}

/// tcp_stream would open its socket without CLOEXEC.
void open_socket(tcp::socket& socket, const tcp& protocol) {
  UniqueFd descriptor(
      ::socket(protocol.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!descriptor) throw_errno("open a socket for", "an http probe");
  socket.assign(protocol, *descriptor);
  (void)descriptor.release();
}

asio::awaitable<Reply> ask(const Question& question) {
  const tcp::endpoint endpoint(asio::ip::make_address(question.address), question.port);
  beast::tcp_stream stream(co_await asio::this_coro::executor);
  open_socket(stream.socket(), endpoint.protocol());
  stream.expires_at(question.deadline);

  error_code error;
  co_await stream.async_connect(endpoint, redirect_error(use_awaitable, error));
  throw_if_cancelled(error);
  if (error == asio::error::connection_refused) {
    co_return Reply{{false, "connection refused"}, true};
  }
  if (error) co_return no("cannot connect: " + describe_failure(question, error));

  co_await http::async_write(stream, question.request, redirect_error(use_awaitable, error));
  throw_if_cancelled(error);
  if (error) co_return no(name_of(question) + ": " + describe_failure(question, error));

  HttpAnswer answer(name_of(question), question.status, question.body);
  std::array<char, kChunk> chunk{};
  while (!answer.judged()) {
    const std::size_t size =
        co_await stream.async_read_some(asio::buffer(chunk), redirect_error(use_awaitable, error));
    throw_if_cancelled(error);
    if (error == asio::error::eof || error == asio::error::connection_reset) {
      answer.finish();
    } else if (error) {
      co_return no(answer.sentence_so_far() + describe_failure(question, error));
    }
    answer.feed({chunk.data(), size});
  }
  co_return Reply{{answer.passed(), answer.sentence()}, false};
}

}  // namespace

asio::awaitable<ProbeResult> http_attempt(const ProbePlan& probe, const ProbeContext& context,
                                          std::chrono::milliseconds timeout) {
  std::optional<Pattern> body;
  if (!probe.pattern.empty()) body.emplace(probe.pattern);

  Question question;
  question.address = context.ipv4;
  question.port = probe.port;
  question.request = {http::verb::get, probe.path.empty() ? "/" : probe.path, kHttp11};
  question.request.set(http::field::host, context.name + ":" + std::to_string(probe.port));
  question.request.set(http::field::user_agent, "IsoEnv");
  question.request.set(http::field::accept, "*/*");
  question.request.set(http::field::connection, "close");
  question.status = probe.status;
  question.body = body ? &*body : nullptr;
  question.timeout = timeout;
  question.deadline = std::chrono::steady_clock::now() + timeout;

  Reply reply = co_await ask(question);
  if (reply.refused && !context.ipv6.empty()) {
    question.address = context.ipv6;
    reply = co_await ask(question);
  }
  if (reply.refused && context.listening_sockets) {
    reply.result.answer += ", " + describe_sockets(context.listening_sockets(Protocol::kTcp),
                                                   {context.ipv4, context.ipv6}, probe.port);
  }
  co_return std::move(reply.result);
}

}  // namespace isoenv
