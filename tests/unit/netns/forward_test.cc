#include "netns/forward.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>

#include "base/error.h"
#include "support/await.h"

namespace isoenv {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

long open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

TEST(LoopbackListenerTest, BindsBothFamiliesToOnePort) {
  const LoopbackListener listener = listen_on_loopback(0, true);
  EXPECT_NE(listener.port, 0);
  asio::io_context io;
  tcp::socket ipv4(io);
  ipv4.connect({asio::ip::address_v4::loopback(), listener.port});
  if (listener.sockets.size() == 1) GTEST_SKIP() << "no IPv6 loopback here";
  tcp::socket ipv6(io);
  ipv6.connect({asio::ip::address_v6::loopback(), listener.port});
}

TEST(LoopbackListenerTest, BindsIpv4AloneWhenTold) {
  EXPECT_EQ(listen_on_loopback(0, false).sockets.size(), 1U);
}

TEST(LoopbackListenerTest, BindsThePortAskedFor) {
  std::uint16_t port = listen_on_loopback(0, true).port;
  EXPECT_EQ(listen_on_loopback(port, true).port, port);
}

TEST(LoopbackListenerTest, RefusesATakenPortWithAHint) {
  const LoopbackListener first = listen_on_loopback(0, true);
  try {
    listen_on_loopback(first.port, true);
    FAIL() << "bound twice";
  } catch (const SystemError& error) {
    EXPECT_EQ(error.error_number(), EADDRINUSE);
    EXPECT_THAT(error.what(), testing::HasSubstr("127.0.0.1:" + std::to_string(first.port)));
    EXPECT_FALSE(error.hint().empty());
  }
}

TEST(LoopbackListenerTest, RefusesAPortTakenOnIpv6Alone) {
  LoopbackListener first = listen_on_loopback(0, true);
  if (first.sockets.size() == 1) GTEST_SKIP() << "no IPv6 loopback here";
  first.sockets.erase(first.sockets.begin());
  EXPECT_THROW(listen_on_loopback(first.port, true), SystemError);
  EXPECT_NO_THROW(listen_on_loopback(first.port, false));
}

TEST(LoopbackListenerTest, ItsSocketsAreNotInherited) {
  const LoopbackListener listener = listen_on_loopback(0, true);
  for (const UniqueFd& socket : listener.sockets) {
    EXPECT_NE(::fcntl(*socket, F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_NE(::fcntl(*socket, F_GETFL) & O_NONBLOCK, 0);
  }
}

/// A service that accepts on 127.0.0.1, and a forwarder in front of it; all on one io_context.
class ForwarderTest : public testing::Test {
 protected:
  ForwarderTest() {
    forwarder_.emplace(io_.get_executor(), listen_on_loopback(0, true), "127.0.0.1",
                       acceptor_.local_endpoint().port());
  }

  /// A client and the service's end of its connection.
  struct Pair {
    tcp::socket client;
    tcp::socket service;
  };

  Pair connect() {
    tcp::socket client(io_);
    client.connect({asio::ip::address_v4::loopback(), forwarder_->port()});
    client.non_blocking(true);
    return {std::move(client), accept_at_service()};
  }

  tcp::socket accept_at_service() {
    tcp::socket service(io_);
    bool accepted = false;
    acceptor_.async_accept(service, [&](const error_code& error) { accepted = !error; });
    test::run_until(io_, [&] { return accepted; });
    service.non_blocking(true);
    return service;
  }

  static asio::awaitable<error_code> write(tcp::socket& socket, std::string text) {
    error_code error;
    const asio::const_buffer bytes = asio::buffer(text);
    co_await asio::async_write(socket, bytes, asio::redirect_error(asio::use_awaitable, error));
    co_return error;
  }

  struct Received {
    std::string text;
    error_code error;  // eof after a FIN
  };

  static asio::awaitable<Received> read_all(tcp::socket& socket) {
    Received received;
    auto space = asio::dynamic_buffer(received.text);
    co_await asio::async_read(socket, space,
                              asio::redirect_error(asio::use_awaitable, received.error));
    co_return received;
  }

  static asio::awaitable<std::string> read_some(tcp::socket& socket, std::size_t size) {
    std::string text(size, '\0');
    const asio::mutable_buffer space = asio::buffer(text);
    error_code error;
    text.resize(
        co_await asio::async_read(socket, space, asio::redirect_error(asio::use_awaitable, error)));
    co_return text;
  }

  template <typename Result>
  Result run(asio::awaitable<Result> coroutine) {
    return test::await(io_, std::move(coroutine));
  }

  /// `first` asks and stops sending, `second` answers and closes: both hear it all.
  void converse_half_closed(tcp::socket& first, tcp::socket& second) {
    EXPECT_FALSE(run(write(first, "all of it")));
    first.shutdown(tcp::socket::shutdown_send);
    const Received request = run(read_all(second));
    EXPECT_EQ(request.text, "all of it");
    EXPECT_EQ(request.error, asio::error::eof);

    EXPECT_FALSE(run(write(second, "the answer")));
    second.close();
    const Received answer = run(read_all(first));
    EXPECT_EQ(answer.text, "the answer");
    EXPECT_EQ(answer.error, asio::error::eof);
    test::run_until(io_, [&] { return forwarder_->connections() == 0; });
  }

  static void reset(tcp::socket& socket) {
    socket.set_option(asio::socket_base::linger(true, 0));
    socket.close();
  }

  asio::io_context io_{1};
  tcp::acceptor acceptor_{io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  std::optional<Forwarder> forwarder_;
};

TEST_F(ForwarderTest, CarriesBytesBothWays) {
  Pair pair = connect();
  EXPECT_FALSE(run(write(pair.client, "question")));
  EXPECT_EQ(run(read_some(pair.service, 8)), "question");
  EXPECT_FALSE(run(write(pair.service, "answer")));
  EXPECT_EQ(run(read_some(pair.client, 6)), "answer");
  EXPECT_EQ(forwarder_->connections(), 1U);
}

TEST_F(ForwarderTest, ServesManyAtOnce) {
  std::vector<Pair> pairs;
  for (int i = 0; i < 20; ++i) pairs.push_back(connect());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    EXPECT_FALSE(run(write(pairs[i].client, std::to_string(i + 10))));
  }
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    EXPECT_EQ(run(read_some(pairs[i].service, 2)), std::to_string(i + 10));
  }
  EXPECT_EQ(forwarder_->connections(), 20U);
}

TEST_F(ForwarderTest, ListensOnIpv6Too) {
  tcp::socket client(io_);
  error_code error;
  client.connect({asio::ip::address_v6::loopback(), forwarder_->port()}, error);
  if (error) GTEST_SKIP() << "no IPv6 loopback here";
  tcp::socket service = accept_at_service();
  EXPECT_FALSE(run(write(client, "six")));
  EXPECT_EQ(run(read_some(service, 3)), "six");
}

TEST_F(ForwarderTest, AClientThatStoppedSendingStillReceives) {
  Pair pair = connect();
  converse_half_closed(pair.client, pair.service);
}

TEST_F(ForwarderTest, AServiceThatStoppedSendingStillReceives) {
  Pair pair = connect();
  converse_half_closed(pair.service, pair.client);
}

TEST_F(ForwarderTest, AResetOfTheServiceReachesTheClient) {
  Pair pair = connect();
  reset(pair.service);
  EXPECT_EQ(run(read_all(pair.client)).error, asio::error::connection_reset);
  test::run_until(io_, [&] { return forwarder_->connections() == 0; });
}

TEST_F(ForwarderTest, AResetOfTheClientReachesTheService) {
  Pair pair = connect();
  reset(pair.client);
  EXPECT_EQ(run(read_all(pair.service)).error, asio::error::connection_reset);
  test::run_until(io_, [&] { return forwarder_->connections() == 0; });
}

TEST_F(ForwarderTest, AClientOfAServiceThatIsDownIsReset) {
  acceptor_.close();
  tcp::socket client(io_);
  client.connect({asio::ip::address_v4::loopback(), forwarder_->port()});
  client.non_blocking(true);
  EXPECT_EQ(run(read_all(client)).error, asio::error::connection_reset);
  EXPECT_EQ(forwarder_->connections(), 0U);
}

std::string pattern_of(std::size_t size, unsigned seed) {
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>((seed = seed * 1664525 + 1013904223) >> 24);
  return text;
}

TEST_F(ForwarderTest, CarriesMuchBothWaysAtOnceWithoutAFault) {
  const std::string up = pattern_of(24'000'001, 1);
  const std::string down = pattern_of(16'000'003, 2);
  Pair pair = connect();
  const auto send = [&](tcp::socket& socket, std::string text) -> asio::awaitable<void> {
    co_await write(socket, std::move(text));
    socket.shutdown(tcp::socket::shutdown_send);
  };
  asio::co_spawn(io_, send(pair.client, up), asio::detached);
  asio::co_spawn(io_, send(pair.service, down), asio::detached);
  std::optional<Received> at_service;
  std::optional<Received> at_client;
  asio::co_spawn(io_, read_all(pair.service),
                 [&](std::exception_ptr, Received received) { at_service = std::move(received); });
  asio::co_spawn(io_, read_all(pair.client),
                 [&](std::exception_ptr, Received received) { at_client = std::move(received); });
  test::run_until(io_, [&] { return at_service && at_client; });
  EXPECT_TRUE(at_service->text == up);
  EXPECT_TRUE(at_client->text == down);
  EXPECT_EQ(at_service->error, asio::error::eof);
  EXPECT_EQ(at_client->error, asio::error::eof);
}

TEST_F(ForwarderTest, AServiceThatDoesNotReadHoldsTheSender) {
  Pair pair = connect();
  const std::string chunk(100'000, 'x');
  std::size_t sent = 0;
  int refused_in_a_row = 0;
  constexpr std::size_t kTooMuch = 200'000'000;
  while (refused_in_a_row < 20 && sent < kTooMuch) {
    error_code error;
    sent += pair.client.write_some(asio::buffer(chunk), error);
    refused_in_a_row = error ? refused_in_a_row + 1 : 0;
    io_.restart();
    while (io_.poll() != 0) {
    }
  }
  EXPECT_LT(sent, kTooMuch);  // the kernel's buffers and one of the forwarder's are full
  pair.client.shutdown(tcp::socket::shutdown_send);
  EXPECT_EQ(run(read_all(pair.service)).text.size(), sent);
}

TEST_F(ForwarderTest, DestructionResetsClientsAndLeavesNothing) {
  const long before = open_descriptors();
  Pair idle = connect();
  Pair half_closed = connect();
  half_closed.client.shutdown(tcp::socket::shutdown_send);
  EXPECT_EQ(run(read_all(half_closed.service)).error, asio::error::eof);
  tcp::socket unserved(io_);
  unserved.connect({asio::ip::address_v4::loopback(), forwarder_->port()});

  const std::uint16_t port = forwarder_->port();
  forwarder_.reset();
  EXPECT_EQ(run(read_all(idle.client)).error, asio::error::connection_reset);
  EXPECT_EQ(run(read_all(idle.service)).error, asio::error::connection_reset);
  EXPECT_EQ(run(read_all(half_closed.client)).error, asio::error::connection_reset);

  idle.client.close();
  idle.service.close();
  half_closed.client.close();
  half_closed.service.close();
  unserved.close();
  io_.restart();
  io_.poll();
  EXPECT_TRUE(io_.stopped());             // no coroutine waits any more
  EXPECT_LT(open_descriptors(), before);  // the listening sockets are gone as well
  EXPECT_NO_THROW(listen_on_loopback(port, true));
}

TEST_F(ForwarderTest, MayBeDestroyedInTheMiddleOfATransfer) {
  Pair pair = connect();
  asio::co_spawn(io_, write(pair.client, std::string(10'000'000, 'x')), asio::detached);
  EXPECT_EQ(run(read_some(pair.service, 1'000'000)).size(), 1'000'000U);
  forwarder_.reset();
  pair.client.close();
  pair.service.close();
  io_.restart();
  io_.poll();
  EXPECT_TRUE(io_.stopped());
}

TEST_F(ForwarderTest, MayBeDestroyedBeforeItEverRan) {
  tcp::socket client(io_);
  client.connect({asio::ip::address_v4::loopback(), forwarder_->port()});
  forwarder_.reset();
  io_.poll();
  EXPECT_TRUE(io_.stopped());
}

TEST_F(ForwarderTest, MayBeReplacedByAnother) {
  Pair pair = connect();
  *forwarder_ = Forwarder(io_.get_executor(), listen_on_loopback(0, false), "127.0.0.1",
                          acceptor_.local_endpoint().port());
  EXPECT_EQ(run(read_all(pair.client)).error, asio::error::connection_reset);
  Pair next = connect();
  EXPECT_FALSE(run(write(next.client, "hello")));
  EXPECT_EQ(run(read_some(next.service, 5)), "hello");
}

/// No new descriptor can be had while this lives.
class DescriptorFamine {
 public:
  DescriptorFamine() {
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
    const rlimit none{0, before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  ~DescriptorFamine() { EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before_), 0); }

 private:
  rlimit before_{};
};

TEST_F(ForwarderTest, RestsWhenThereIsNoDescriptorForAClient) {
  tcp::socket client(io_);
  client.connect({asio::ip::address_v4::loopback(), forwarder_->port()});
  client.non_blocking(true);
  {
    const DescriptorFamine famine;
    const std::size_t steps = io_.run_for(std::chrono::milliseconds(20));
    EXPECT_LT(steps, 20U);  // a listener that spins takes thousands
    EXPECT_EQ(forwarder_->connections(), 0U);
  }
  tcp::socket service = accept_at_service();
  EXPECT_FALSE(run(write(client, "patience")));
  EXPECT_EQ(run(read_some(service, 8)), "patience");
}

TEST_F(ForwarderTest, MayBeDestroyedWhileItRests) {
  tcp::socket client(io_);
  client.connect({asio::ip::address_v4::loopback(), forwarder_->port()});
  const DescriptorFamine famine;
  io_.poll();
  forwarder_.reset();
  io_.restart();
  io_.poll();
  EXPECT_TRUE(io_.stopped());
}

}  // namespace
}  // namespace isoenv
