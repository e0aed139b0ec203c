#include "netns/socket_diag.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <vector>

#include "base/unique_fd.h"

namespace isoenv {
namespace {

using testing::Contains;
using testing::Field;
using testing::Not;

struct Bound {
  UniqueFd fd;
  std::uint16_t port = 0;
};

/// A socket bound to `address` and a port the kernel picks; no descriptor without that family.
Bound bind_to(int type, const char* address, bool ipv6_only = false) {
  sockaddr_storage storage{};
  auto& ipv4 = reinterpret_cast<sockaddr_in&>(storage);
  auto& ipv6 = reinterpret_cast<sockaddr_in6&>(storage);
  const bool is_ipv4 = inet_pton(AF_INET, address, &ipv4.sin_addr) == 1;
  EXPECT_TRUE(is_ipv4 || inet_pton(AF_INET6, address, &ipv6.sin6_addr) == 1);
  storage.ss_family = is_ipv4 ? AF_INET : AF_INET6;
  socklen_t length = is_ipv4 ? sizeof(ipv4) : sizeof(ipv6);

  Bound bound{UniqueFd(::socket(storage.ss_family, type | SOCK_CLOEXEC, 0))};
  const int on = ipv6_only ? 1 : 0;
  if (!is_ipv4) ::setsockopt(*bound.fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  if (::bind(*bound.fd, reinterpret_cast<sockaddr*>(&storage), length) != 0) return {};
  ::getsockname(*bound.fd, reinterpret_cast<sockaddr*>(&storage), &length);
  bound.port = ntohs(is_ipv4 ? ipv4.sin_port : ipv6.sin6_port);
  return bound;
}

Bound listen_on(const char* address, bool ipv6_only = false) {
  Bound bound = bind_to(SOCK_STREAM, address, ipv6_only);
  EXPECT_TRUE(!bound.fd || ::listen(*bound.fd, 16) == 0);
  return bound;
}

auto has_port(std::uint16_t port) { return Contains(Field(&BoundSocket::port, port)); }

TEST(SocketDiagTest, FindsListenersByAddressAndPort) {
  const Bound any = listen_on("0.0.0.0");
  const Bound local = listen_on("127.0.0.1");
  SocketDiag diag;
  EXPECT_THAT(diag.tcp_listeners(), Contains(BoundSocket{"0.0.0.0", any.port, false}));
  EXPECT_THAT(diag.tcp_listeners(), Contains(BoundSocket{"127.0.0.1", local.port, false}));
}

TEST(SocketDiagTest, TellsDualStackFromIpv6Only) {
  const Bound dual = listen_on("::", false);
  const Bound single = listen_on("::", true);
  if (!dual.fd || !single.fd) GTEST_SKIP() << "no IPv6 here";
  SocketDiag diag;
  EXPECT_THAT(diag.tcp_listeners(), Contains(BoundSocket{"::", dual.port, false}));
  EXPECT_THAT(diag.tcp_listeners(), Contains(BoundSocket{"::", single.port, true}));
}

TEST(SocketDiagTest, FindsUdpSocketsOfBothFamilies) {
  const Bound ipv4 = bind_to(SOCK_DGRAM, "127.0.0.1");
  SocketDiag diag;
  EXPECT_THAT(diag.udp_sockets(), Contains(BoundSocket{"127.0.0.1", ipv4.port, false}));
  EXPECT_THAT(diag.tcp_listeners(), Not(Contains(BoundSocket{"127.0.0.1", ipv4.port, false})));
  const Bound ipv6 = bind_to(SOCK_DGRAM, "::", true);
  if (!ipv6.fd) GTEST_SKIP() << "no IPv6 here";
  EXPECT_THAT(diag.udp_sockets(), Contains(BoundSocket{"::", ipv6.port, true}));
}

TEST(SocketDiagTest, SeesASocketOnlyWhileItListens) {
  SocketDiag diag;
  Bound socket = bind_to(SOCK_STREAM, "127.0.0.1");
  EXPECT_THAT(diag.tcp_listeners(), Not(has_port(socket.port)));
  ASSERT_EQ(::listen(*socket.fd, 1), 0);
  EXPECT_THAT(diag.tcp_listeners(), has_port(socket.port));
  socket.fd.reset();
  EXPECT_THAT(diag.tcp_listeners(), Not(has_port(socket.port)));
}

TEST(SocketDiagTest, LeavesOutAConnectedUdpSocket) {
  const Bound server = bind_to(SOCK_DGRAM, "127.0.0.1");
  const Bound client = bind_to(SOCK_DGRAM, "127.0.0.1");
  SocketDiag diag;
  EXPECT_THAT(diag.udp_sockets(), has_port(client.port));
  sockaddr_in target{};
  target.sin_family = AF_INET;
  target.sin_port = htons(server.port);
  target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(*client.fd, reinterpret_cast<sockaddr*>(&target), sizeof(target)), 0);
  EXPECT_THAT(diag.udp_sockets(), Not(has_port(client.port)));
  EXPECT_THAT(diag.udp_sockets(), has_port(server.port));
}

TEST(SocketDiagTest, ReadsListsLongerThanOneMessage) {
  std::vector<Bound> listeners;
  for (int i = 0; i < 400; ++i) listeners.push_back(listen_on("127.0.0.1"));
  SocketDiag diag;
  const std::vector<BoundSocket> found = diag.tcp_listeners();
  for (const Bound& listener : listeners) EXPECT_THAT(found, has_port(listener.port));
}

TEST(SocketDiagTest, MayBeMoved) {
  const Bound listener = listen_on("127.0.0.1");
  SocketDiag first;
  SocketDiag second = std::move(first);
  EXPECT_THAT(second.tcp_listeners(), has_port(listener.port));
}

}  // namespace
}  // namespace isoenv
