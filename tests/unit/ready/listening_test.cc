#include "ready/listening.h"

#include <gtest/gtest.h>

namespace isoenv {
namespace {

const ServiceAddresses kService{"10.79.0.2", "fd69:736f:656e:7600::2"};
const ServiceAddresses kIpv4Only{"10.79.0.2", ""};

bool accepts_8080(const BoundSocket& socket, const ServiceAddresses& service = kService) {
  return accepts({socket}, service, 8080);
}

TEST(ListeningTest, WildcardsOfBothFamiliesAreReached) {
  EXPECT_TRUE(accepts_8080({"0.0.0.0", 8080, false}));
  EXPECT_TRUE(accepts_8080({"::", 8080, false}));
  EXPECT_TRUE(accepts_8080({"::", 8080, true}));
}

TEST(ListeningTest, TheServicesOwnAddressesAreReached) {
  EXPECT_TRUE(accepts_8080({"10.79.0.2", 8080, false}));
  EXPECT_TRUE(accepts_8080({"fd69:736f:656e:7600::2", 8080, false}));
  EXPECT_TRUE(accepts_8080({"::ffff:10.79.0.2", 8080, false}));
}

TEST(ListeningTest, ComparesAddressesNotTheirSpelling) {
  const ServiceAddresses spelt_out{"10.79.0.2", "FD69:736f:656e:7600:0:0:0:2"};
  EXPECT_TRUE(accepts_8080({"fd69:736f:656e:7600::2", 8080, false}, spelt_out));
}

TEST(ListeningTest, LoopbackIsNotReached) {
  EXPECT_FALSE(accepts_8080({"127.0.0.1", 8080, false}));
  EXPECT_FALSE(accepts_8080({"::1", 8080, false}));
  EXPECT_FALSE(accepts_8080({"::ffff:127.0.0.1", 8080, false}));
}

TEST(ListeningTest, AnotherPortDoesNotCount) {
  EXPECT_FALSE(accepts_8080({"0.0.0.0", 8081, false}));
}

TEST(ListeningTest, WithoutIpv6AnIpv6OnlySocketIsNotReached) {
  EXPECT_FALSE(accepts_8080({"::", 8080, true}, kIpv4Only));
  EXPECT_TRUE(accepts_8080({"::", 8080, false}, kIpv4Only));
}

TEST(ListeningTest, SaysWhenNothingListens) {
  EXPECT_EQ(describe_sockets({}, kService, 8080), "nothing listens yet");
}

TEST(ListeningTest, SaysWhatListensInsteadAndWhatWasExpected) {
  EXPECT_EQ(describe_sockets({{"127.0.0.1", 8081, false}}, kService, 8080),
            "listens on 127.0.0.1:8081, expected *:8080");
  EXPECT_EQ(describe_sockets({{"0.0.0.0", 9000, false}, {"::", 9001, false}, {"::", 9002, true}},
                             kService, 8080),
            "listens on 0.0.0.0:9000, *:9001, [::]:9002, expected *:8080");
}

TEST(ListeningTest, TellsHowToMendTheRightPortOnLoopback) {
  EXPECT_EQ(describe_sockets({{"127.0.0.1", 8080, false}, {"::1", 8080, false}}, kService, 8080),
            "listens on 127.0.0.1:8080, [::1]:8080, expected *:8080 "
            "(others cannot reach that address: bind to 0.0.0.0)");
}

TEST(ListeningTest, NamesAnEndpointOnceAndNotAllOfHundreds) {
  std::vector<BoundSocket> sockets;
  for (std::uint16_t port = 1; port <= 100; ++port) {
    sockets.push_back({"0.0.0.0", port, false});
    sockets.push_back({"0.0.0.0", port, false});  // SO_REUSEPORT workers
  }
  EXPECT_EQ(describe_sockets(sockets, kService, 8080),
            "listens on 0.0.0.0:1, 0.0.0.0:2, 0.0.0.0:3, 0.0.0.0:4, 0.0.0.0:5, 0.0.0.0:6, "
            "0.0.0.0:7, 0.0.0.0:8, …, expected *:8080");
}

TEST(ListeningTest, IsBriefWhenAllIsWell) {
  EXPECT_EQ(describe_sockets({{"0.0.0.0", 8080, false}}, kService, 8080),
            "listens on 0.0.0.0:8080");
}

}  // namespace
}  // namespace isoenv
