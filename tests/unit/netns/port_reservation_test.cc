#include "netns/port_reservation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <set>

namespace isoenv {
namespace {

using ::testing::HasSubstr;

UniqueFd bind_loopback(int type, std::uint16_t number, bool reuse) {
  UniqueFd socket(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  const int yes = 1;
  if (reuse) ::setsockopt(*socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(number);
  if (::bind(*socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  return socket;
}

TEST(PortReservationTest, LetsOnlyWhoReusesTheAddressListenOnATcpPort) {
  PortReservations reservations;
  const std::uint16_t number = reservations.take_any(Protocol::kTcp, {});
  EXPECT_FALSE(bind_loopback(SOCK_STREAM, number, false));
  const UniqueFd server = bind_loopback(SOCK_STREAM, number, true);
  ASSERT_TRUE(server);
  EXPECT_EQ(::listen(*server, 1), 0);
}

TEST(PortReservationTest, LendsAUdpPortAndTakesItBack) {
  PortReservations reservations;
  const std::uint16_t number = reservations.take_any(Protocol::kUdp, {});
  EXPECT_FALSE(bind_loopback(SOCK_DGRAM, number, false));
  reservations.lend(Protocol::kUdp, number);
  UniqueFd server = bind_loopback(SOCK_DGRAM, number, false);
  ASSERT_TRUE(server);
  EXPECT_FALSE(reservations.take_back(Protocol::kUdp, number));
  server.reset();
  EXPECT_TRUE(reservations.take_back(Protocol::kUdp, number));
}

TEST(PortReservationTest, NeverGivesANumberTwice) {
  std::vector<PortReservations> instances(200);
  std::set<std::uint16_t> numbers;
  for (PortReservations& instance : instances) {
    numbers.insert(instance.take_any(Protocol::kTcp, {}));
    numbers.insert(instance.take_any(Protocol::kTcp, {}));
  }
  EXPECT_EQ(numbers.size(), 400U);
}

TEST(PortReservationTest, NamesTheProcessThatListensOnAFixedPort) {
  PortReservations other;
  const std::uint16_t number = other.take_any(Protocol::kTcp, {});
  const UniqueFd server = bind_loopback(SOCK_STREAM, number, true);
  ASSERT_EQ(::listen(*server, 1), 0);
  other = {};
  PortReservations reservations;
  const auto refusal = reservations.take(Protocol::kTcp, number, "0123abcd");
  ASSERT_TRUE(refusal);
  EXPECT_THAT(refusal->why, HasSubstr("process " + std::to_string(::getpid())));
  EXPECT_EQ(refusal->holder.pid, ::getpid());
}

TEST(PortReservationTest, NamesWhoReservedAFixedPort) {
  PortReservations other;
  const std::uint16_t number = other.take_any(Protocol::kTcp, {});
  PortReservations reservations;
  const auto refusal = reservations.take(Protocol::kTcp, number, "");
  ASSERT_TRUE(refusal);
  EXPECT_THAT(refusal->why, HasSubstr("belongs to another instance"));
  EXPECT_EQ(refusal->holder.pid, ::getpid());
  other = {};
  EXPECT_FALSE(reservations.take(Protocol::kTcp, number, ""));
}

}  // namespace
}  // namespace isoenv
