#include <gtest/gtest.h>

#include "unit/spec/parse_case.h"

namespace isoenv {
namespace {

std::string port_faults(const std::string& value) {
  return faults_of(with_service("\"ports\": {\"http\": " + value + "}"));
}

TEST(PortReaderTest, ReadsEveryFormOfAPort) {
  const ServiceSpec service =
      good_service(R"("ports": {"a": 3000, "b": "3001", "c": "auto", "d": "8125/udp",
                                "e": "auto/udp", "f": "3002/tcp", "g": 65535, "h": 1})");
  const auto expect = [&](std::size_t index, std::uint16_t number, Protocol protocol) {
    EXPECT_EQ(service.ports[index].number, number) << index;
    EXPECT_EQ(service.ports[index].protocol, protocol) << index;
  };
  ASSERT_EQ(service.ports.size(), 8u);
  EXPECT_EQ(service.ports[0].name, "a");
  expect(0, 3000, Protocol::kTcp);
  expect(1, 3001, Protocol::kTcp);
  expect(2, 0, Protocol::kTcp);
  expect(3, 8125, Protocol::kUdp);
  expect(4, 0, Protocol::kUdp);
  expect(5, 3002, Protocol::kTcp);
  expect(6, 65535, Protocol::kTcp);
  expect(7, 1, Protocol::kTcp);
}

TEST(PortReaderTest, RefusesNumbersOutOfRange) {
  const std::string rest = " is not from 1 to 65535; write \"auto\" to have one assigned";
  EXPECT_EQ(port_faults("0"), "services.user.ports.http: port number 0" + rest);
  EXPECT_EQ(port_faults("65536"), "services.user.ports.http: port number 65536" + rest);
  EXPECT_EQ(port_faults("\"65536/udp\""), "services.user.ports.http: port number 65536" + rest);
  EXPECT_EQ(port_faults("\"99999999999999999999\""),
            "services.user.ports.http: port number 99999999999999999999" + rest);
}

TEST(PortReaderTest, RefusesWhatIsNoPort) {
  const std::string rest = " is not a port number; write \"auto\" to have one assigned";
  EXPECT_EQ(port_faults("-1"), "services.user.ports.http: '-1'" + rest);
  EXPECT_EQ(port_faults("\"\""), "services.user.ports.http: ''" + rest);
  EXPECT_EQ(port_faults("\"http\""), "services.user.ports.http: 'http'" + rest);
  EXPECT_EQ(port_faults("\"/udp\""), "services.user.ports.http: ''" + rest);
  EXPECT_EQ(port_faults("\"80:80\""), "services.user.ports.http: '80:80'" + rest);
  EXPECT_EQ(port_faults("null"),
            "services.user.ports.http: expected a port number, found null; write \"auto\" to have "
            "one assigned");
  EXPECT_EQ(port_faults("80.5"),
            "services.user.ports.http: expected a port number, found the number 80.5; write "
            "\"auto\" to have one assigned");
}

TEST(PortReaderTest, RefusesUnknownProtocols) {
  EXPECT_EQ(port_faults("\"80/upd\""),
            "services.user.ports.http: unknown protocol 'upd'; did you mean 'udp'?");
  EXPECT_EQ(port_faults("\"80/sctp\""),
            "services.user.ports.http: unknown protocol 'sctp'; expected one of tcp, udp");
  EXPECT_EQ(port_faults("\"80/\""),
            "services.user.ports.http: unknown protocol ''; expected one of tcp, udp");
}

TEST(PortReaderTest, RefusesBadPortNames) {
  EXPECT_EQ(faults_of(with_service(R"("ports": {"HTTP": 80})")),
            "services.user.ports.HTTP: 'HTTP' is not a name for a port; use lower-case letters, "
            "digits and inner '-'");
  EXPECT_EQ(faults_of(with_service(R"("ports": ["http"])")),
            "services.user.ports: expected an object, found a list");
}

TEST(PortReaderTest, RefusesOneNumberTwiceInAService) {
  EXPECT_EQ(faults_of(with_service(R"("ports": {"http": 80, "admin": "80/tcp"})")),
            "services.user.ports.admin: TCP port 80 is already 'http'; give each port a number of "
            "its own, or remove one name");
  EXPECT_EQ(faults_of(with_service(R"("ports": {"a": "53/udp", "b": "53/udp"})")),
            "services.user.ports.b: UDP port 53 is already 'a'; give each port a number of its "
            "own, or remove one name");
}

TEST(PortReaderTest, TakesOneNumberForTcpAndUdp) {
  EXPECT_EQ(good_service(R"("ports": {"dns": 53, "dns-udp": "53/udp"})").ports.size(), 2u);
}

TEST(ForwardReaderTest, ReadsNumbersOwnNumbersAndAnyNumber) {
  const ServiceSpec service = good_service(
      R"("ports": {"http": 80, "admin": 81},
         "publish": {"http": 8080, "admin": "auto"}, "localhost": ["admin"])");
  ASSERT_EQ(service.publish.size(), 2u);
  EXPECT_EQ(service.publish[0].port, "http");
  EXPECT_EQ(service.publish[0].number, 8080);
  EXPECT_FALSE(service.publish[0].automatic);
  EXPECT_TRUE(service.publish[1].automatic);
  ASSERT_EQ(service.localhost.size(), 1u);
  EXPECT_EQ(service.localhost[0].port, "admin");
  EXPECT_EQ(service.localhost[0].number, 0);
  EXPECT_FALSE(service.localhost[0].automatic);
}

std::string forward_faults(const std::string& members) {
  return faults_of(with_service(R"("ports": {"http": 80, "stats": "81/udp"}, )" + members));
}

TEST(ForwardReaderTest, RefusesPortsThatAreNotThere) {
  EXPECT_EQ(forward_faults(R"("publish": ["htp"])"),
            "services.user.publish.htp: 'htp' is not a port of 'user'; did you mean 'http'?");
  EXPECT_EQ(faults_of(with_service(R"("localhost": {"http": 80})")),
            "services.user.localhost.http: 'http' is not a port of 'user'; declare it under "
            "'ports'");
}

TEST(ForwardReaderTest, RefusesUdpPorts) {
  EXPECT_EQ(forward_faults(R"("publish": ["stats"], "localhost": {"stats": 81})"),
            "services.user.publish.stats: only TCP ports can be forwarded, but 'stats' is UDP\n"
            "services.user.localhost.stats: only TCP ports can be forwarded, but 'stats' is UDP");
}

TEST(ForwardReaderTest, RefusesBadNumbers) {
  EXPECT_EQ(forward_faults(R"("publish": {"http": 0})"),
            "services.user.publish.http: port number 0 is not from 1 to 65535");
  EXPECT_EQ(forward_faults(R"("publish": {"http": true})"),
            "services.user.publish.http: expected a port number, found true");
  EXPECT_EQ(forward_faults(R"("localhost": {"http": "auto"})"),
            "services.user.localhost.http: \"auto\" is only for 'publish'; write a number, or "
            "[\"http\"] for the port's own");
}

TEST(ForwardReaderTest, RefusesOtherShapes) {
  EXPECT_EQ(forward_faults(R"("publish": 8080)"),
            "services.user.publish: expected an object or a list, found the number 8080; write "
            "{\"PORT\": 8080} or [\"PORT\"]");
  EXPECT_EQ(forward_faults(R"("publish": ["http", "http"])"),
            "services.user.publish[1]: 'http' stands twice; remove one of them");
  EXPECT_EQ(forward_faults(R"("publish": [80])"),
            "services.user.publish[0]: expected a string, found the number 80; write \"80\"");
}

TEST(ForwardReaderTest, BlamesAFaultyPortOnlyOnce) {
  EXPECT_EQ(faults_of(with_service(R"("ports": {"http": 70000}, "publish": ["http"],
                                      "ready": [{"tcp": "http"}])")),
            "services.user.ports.http: port number 70000 is not from 1 to 65535; write \"auto\" "
            "to have one assigned");
}

}  // namespace
}  // namespace isoenv
