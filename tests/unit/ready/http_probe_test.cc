#include "ready/http_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <optional>

#include "base/error.h"
#include "support/await.h"

namespace isoenv {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::StartsWith;

/// Reads a request's header, writes `answer` as it is, and closes: or keeps the client hanging.
class CannedServer {
 public:
  CannedServer(asio::io_context& io, const tcp::endpoint& endpoint, std::string answer)
      : answer_(std::move(answer)), acceptor_(io, endpoint) {
    asio::co_spawn(io, serve(), asio::detached);
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  const std::string& request() const { return request_; }
  bool client_left() const { return client_left_; }
  void hang() { hangs_ = true; }

 private:
  asio::awaitable<void> serve() {
    tcp::socket client = co_await acceptor_.async_accept(asio::use_awaitable);
    boost::system::error_code error;
    auto space = asio::dynamic_buffer(request_);
    co_await asio::async_read_until(client, space, "\r\n\r\n",
                                    asio::redirect_error(asio::use_awaitable, error));
    const asio::const_buffer bytes = asio::buffer(answer_);
    co_await asio::async_write(client, bytes, asio::redirect_error(asio::use_awaitable, error));
    if (!hangs_) co_return;
    char byte = 0;
    const asio::mutable_buffer rest(&byte, 1);
    co_await client.async_read_some(rest, asio::redirect_error(asio::use_awaitable, error));
    client_left_ = true;
  }

  std::string answer_;
  std::string request_;
  tcp::acceptor acceptor_;
  bool hangs_ = false;
  bool client_left_ = false;
};

class HttpProbeTest : public testing::Test {
 protected:
  HttpProbeTest() {
    context_.name = "user";
    context_.ipv4 = "127.0.0.1";
    probe_.kind = ProbeKind::kHttp;
    probe_.path = "/health";
  }

  void serve(std::string answer) {
    server_.emplace(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0), std::move(answer));
    probe_.port = server_->port();
  }

  ProbeResult ask(milliseconds timeout = test::kAwaitPatience) {
    return test::await(io_, http_attempt(probe_, context_, timeout));
  }

  ProbePlan probe_;
  ProbeContext context_;
  asio::io_context io_{1};
  std::optional<CannedServer> server_;
};

TEST_F(HttpProbeTest, PassesOnAnyTwoHundred) {
  serve("HTTP/1.1 204 No Content\r\n\r\n");
  const ProbeResult result = ask();
  EXPECT_TRUE(result.passed);
  EXPECT_EQ(result.answer, "GET /health answered 204");
}

TEST_F(HttpProbeTest, AsksTheServiceByItsName) {
  serve("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_TRUE(ask().passed);
  EXPECT_THAT(server_->request(), StartsWith("GET /health HTTP/1.1\r\n"));
  EXPECT_THAT(server_->request(), HasSubstr("Host: user:" + std::to_string(probe_.port) + "\r\n"));
  EXPECT_THAT(server_->request(), HasSubstr("Connection: close\r\n"));
}

TEST_F(HttpProbeTest, AsksForTheRootWithoutAPath) {
  probe_.path = "";
  serve("HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_EQ(ask().answer, "GET / answered 200");
}

TEST_F(HttpProbeTest, FailsOnServiceUnavailable) {
  serve("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
  const ProbeResult result = ask();
  EXPECT_FALSE(result.passed);
  EXPECT_EQ(result.answer, "GET /health answered 503");
}

TEST_F(HttpProbeTest, ARedirectIsNoTwoHundred) {
  serve("HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n");
  EXPECT_FALSE(ask().passed);
}

TEST_F(HttpProbeTest, TakesExactlyTheStatusAskedFor) {
  probe_.status = 401;
  serve("HTTP/1.1 401 Unauthorized\r\n\r\n");
  EXPECT_TRUE(ask().passed);
  serve("HTTP/1.1 200 OK\r\n\r\n");
  const ProbeResult result = ask();
  EXPECT_FALSE(result.passed);
  EXPECT_EQ(result.answer, "GET /health answered 200, expected 401");
}

TEST_F(HttpProbeTest, JudgesTheBody) {
  probe_.pattern = "\"status\":\\s*\"up\"";
  serve("HTTP/1.1 200 OK\r\n\r\n{\"status\": \"up\"}");
  EXPECT_TRUE(ask().passed);
  serve("HTTP/1.1 200 OK\r\n\r\n{\"status\": \"starting\"}");
  const ProbeResult result = ask();
  EXPECT_FALSE(result.passed);
  EXPECT_EQ(result.answer,
            "GET /health answered 200, but its body does not match /\"status\":\\s*\"up\"/");
}

TEST_F(HttpProbeTest, ReadsNoMoreThanAMebibyteOfABody) {
  const std::string big(2 * 1024 * 1024, 'x');
  for (const std::string& header :
       {std::string("\r\n"), "Content-Length: " + std::to_string(big.size()) + "\r\n\r\n"}) {
    probe_.pattern = "x";
    serve("HTTP/1.1 200 OK\r\n" + header + big);
    const ProbeResult result = ask();
    EXPECT_FALSE(result.passed);
    EXPECT_THAT(result.answer, HasSubstr("larger than 1 MiB"));
  }
}

TEST_F(HttpProbeTest, ABigBodyIsFineWhenNobodyJudgesIt) {
  const std::string big(2 * 1024 * 1024, 'x');
  serve("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(big.size()) + "\r\n\r\n" + big);
  EXPECT_TRUE(ask().passed);
}

TEST_F(HttpProbeTest, AnEndlessHeaderIsRefused) {
  serve("HTTP/1.1 200 OK\r\nX: " + std::string(2 * 1024 * 1024, 'x'));
  const ProbeResult result = ask();
  EXPECT_FALSE(result.passed);
  EXPECT_THAT(result.answer, HasSubstr("GET /health: "));
}

TEST_F(HttpProbeTest, SaysWhenTheAnswerIsNotHttp) {
  serve("SSH-2.0-OpenSSH_9.2\r\n\r\n");
  const ProbeResult result = ask();
  EXPECT_FALSE(result.passed);
  EXPECT_THAT(result.answer, StartsWith("GET /health: the answer is not HTTP"));
}

TEST_F(HttpProbeTest, SaysWhenTheConnectionWasClosed) {
  serve("");
  EXPECT_EQ(ask().answer, "GET /health: the connection was closed without an answer");
}

TEST_F(HttpProbeTest, SaysWhenTheAnswerBrokeOff) {
  probe_.pattern = "x";
  serve("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx");
  EXPECT_EQ(ask().answer, "GET /health answered 200, but the connection was closed in mid-answer");
}

TEST_F(HttpProbeTest, GivesUpOnASilentServer) {
  serve("");
  server_->hang();
  const ProbeResult result = ask(milliseconds(20));
  EXPECT_FALSE(result.passed);
  EXPECT_EQ(result.answer, "GET /health: no answer within 20 ms");
}

TEST_F(HttpProbeTest, SaysWhenTheConnectionIsRefused) {
  serve("");
  server_.reset();
  const ProbeResult result = ask();
  EXPECT_FALSE(result.passed);
  EXPECT_EQ(result.answer, "connection refused");
}

TEST_F(HttpProbeTest, SaysWhatListensInsteadOfTheRefusedPort) {
  probe_.port = 1;
  context_.listening_sockets = [](Protocol) {
    return std::vector<BoundSocket>{{"127.0.0.1", 3000, false}};
  };
  EXPECT_EQ(ask().answer, "connection refused, listens on 127.0.0.1:3000, expected *:1");
}

TEST_F(HttpProbeTest, AsksOverIpv6WhenIpv4Refuses) {
  try {
    server_.emplace(io_, tcp::endpoint(asio::ip::address_v6::loopback(), 0),
                    "HTTP/1.1 200 OK\r\n\r\n");
  } catch (const boost::system::system_error&) {
    GTEST_SKIP() << "no IPv6 loopback here";
  }
  probe_.port = server_->port();
  context_.ipv6 = "::1";
  EXPECT_TRUE(ask().passed);
}

TEST_F(HttpProbeTest, RefusesAPatternThatIsNone) {
  probe_.pattern = "(";
  EXPECT_THROW(ask(), Error);
}

TEST_F(HttpProbeTest, CancellationClosesTheConnection) {
  serve("");
  server_->hang();
  asio::cancellation_signal cancel;
  std::exception_ptr failure;
  asio::co_spawn(
      io_, http_attempt(probe_, context_, test::kAwaitPatience),
      asio::bind_cancellation_slot(
          cancel.slot(), [&](std::exception_ptr error, ProbeResult) { failure = error; }));
  test::run_until(io_, [&] { return server_->request().ends_with("\r\n\r\n"); });
  EXPECT_FALSE(server_->client_left());
  cancel.emit(asio::cancellation_type::terminal);
  test::run_until(io_, [&] { return server_->client_left(); });
  ASSERT_TRUE(failure);
  EXPECT_THROW(std::rethrow_exception(failure), boost::system::system_error);
}

}  // namespace
}  // namespace isoenv
