// How services and tests reach each other, and who does not.
#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class NetworkTest : public SystemTest {};

constexpr std::string_view kEchoes = R"("services": {
    "left":  {"command": ["test_service", "tcp_echo", "*", "3000", "left: "],
              "ports": {"main": 3000}, "aliases": ["links", "gauche"]},
    "right": {"command": ["test_service", "tcp_echo", "*", "3000", "right: "],
              "ports": {"main": 3000}}})";

TEST_F(NetworkTest, ReachesServicesByNameOverIpv4AndIpv6) {
  const auto spec = write_spec(kEchoes);
  for (const char* family : {"4", "6", "any"}) {
    const Outcome outcome = run_in(spec, {"tcp_ask", family, "left", "3000", "hello"});
    ASSERT_THAT(outcome, ExitedWith(0)) << family;
    EXPECT_EQ(outcome.out, "left: hello\n");
  }
}

TEST_F(NetworkTest, LetsTwoServicesUseTheSamePortNumber) {
  const Outcome outcome = run_in(
      write_spec(kEchoes),
      {"tcp_ask", "any", "left", "3000", "a", "then", "tcp_ask", "any", "right", "3000", "b"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_EQ(outcome.out, "left: a\nright: b\n");
}

TEST_F(NetworkTest, ResolvesNamesAndAliasesToThePlannedAddresses) {
  const Outcome outcome =
      run_in(write_spec(kEchoes), {"resolves", "left", "links", "gauche", "right"});
  ASSERT_THAT(outcome, ExitedWith(0));
  for (const char* name : {"left", "links", "gauche"}) {
    EXPECT_THAT(values(outcome.out, name), ElementsAre("10.79.0.2", "fd69:736f:656e:7600::2"));
  }
  EXPECT_THAT(values(outcome.out, "right"), ElementsAre("10.79.0.3", "fd69:736f:656e:7600::3"));
}

TEST_F(NetworkTest, ResolvesLocalhostInBothFamiliesBesideServices) {
  const Outcome outcome = run_in(write_spec(kEchoes), {"resolves", "localhost"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(values(outcome.out, "localhost"), ElementsAre("127.0.0.1", "::1"));
}

TEST_F(NetworkTest, RefusesANameThatNobodyHasAtOnce) {
  const Outcome outcome = run_in(write_spec(kEchoes), {"resolves", "middle"});
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("cannot resolve 'middle'"));
}

TEST_F(NetworkTest, LetsServicesReachEachOtherAndThemselves) {
  const auto spec = write_spec(R"("services": {
    "back":  {"command": ["test_service", "tcp_echo", "*", "3000", "back: "], "ports": {"main": 3000}},
    "front": {"command": ["test_service", "tcp_ask", "4", "back", "3000", "v4",
                          "then", "tcp_ask", "6", "back", "3000", "v6", "then", "waits"],
              "depends": ["back"], "ready": [{"log": "back: v6"}]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_EQ(read_file(artefact_dir() / "latest" / "front.log"), "back: v4\nback: v6\n");
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(NetworkTest, CarriesUdp) {
  const auto spec = write_spec(R"("services": {
    "stats": {"command": ["test_service", "udp_echo", "*", "8125", "stats: "],
              "ports": {"in": "8125/udp"}, "ready": [{"udp": "in"}]}})");
  const Outcome outcome = run_in(
      spec, {"udp_ask", "4", "stats", "8125", "a", "then", "udp_ask", "6", "stats", "8125", "b"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_EQ(outcome.out, "stats: a\nstats: b\n");
}

TEST_F(NetworkTest, AssignsPortsThatNoServiceUses) {
  const auto spec = write_spec(R"("services": {
    "one": {"command": ["test_service", "tcp_echo", "*", "env:PORT", "one: "], "ports": {"main": "auto"}},
    "two": {"command": ["test_service", "tcp_echo", "*", "{{self.port.b}}", "two: "],
            "ports": {"a": 20001, "b": "auto"}, "ready": [{"tcp": "b"}]}})");
  const Outcome outcome =
      run_in(spec, {"tcp_ask", "any", "one", "env:ISOENV_ONE_PORT", "a", "then", "tcp_ask", "any",
                    "two", "env:ISOENV_TWO_PORT_B", "b", "then", "shows_environment"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(outcome.out, HasSubstr("one: a\ntwo: b\n"));
  EXPECT_EQ(variable(outcome.out, "ISOENV_ONE_PORT"), "20000");
  EXPECT_EQ(variable(outcome.out, "ISOENV_TWO_PORT_B"), "20002");
}

TEST_F(NetworkTest, HasNoWayOutOfTheInstance) {
  const Outcome outcome =
      run_in(write_spec(kEchoes), {"tcp_ask", "any", "192.0.2.1", "80", "hello"});
  ASSERT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("Network is unreachable"));
}

TEST_F(NetworkTest, ShowsNothingToTheHost) {
  const auto spec = write_spec(kEchoes);
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_THAT(outside({"tcp_ask", "any", "127.0.0.1", "3000", "hello"}), ExitedWith(1));
  EXPECT_THAT(outside({"resolves", "gauche"}), ExitedWith(1));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(NetworkTest, KeepsTwoInstancesOfOneSpecApart) {
  const auto spec = write_spec(R"("services": {
    "counter": {"command": ["test_service", "http_hello", "*", "80"], "ports": {"http": 80}}})");
  for (const char* name : {"first", "second"}) {
    ASSERT_THAT(up(spec, {"--name", name}), ExitedWith(0));
  }
  for (const char* name : {"first", "second"}) {
    const Outcome outcome = isoenv({"exec", "-f", spec, "--name", name, "--", "test_service",
                                    "http_get", "any", "counter", "80", "/count"});
    EXPECT_THAT(outcome.out, HasSubstr("\r\n\r\n1\n")) << name;
  }
  for (const char* name : {"first", "second"}) {
    EXPECT_THAT(down(spec, {"--name", name}), ExitedWith(0));
  }
}

TEST_F(NetworkTest, OffersLocalhostPortsWhereTheTestsRun) {
  const auto spec = write_spec(R"("services": {
    "store": {"command": ["test_service", "tcp_echo", "*", "6379", "store: "],
              "ports": {"main": 6379}, "localhost": ["main"]},
    "other": {"command": ["test_service", "tcp_echo", "*", "6379", "other: "],
              "ports": {"main": 6379}, "localhost": {"main": 6380}}})");
  const Outcome outcome =
      run_in(spec, {"tcp_ask", "any", "127.0.0.1", "6379", "a", "then", "tcp_ask", "any", "::1",
                    "6379", "b", "then", "tcp_ask", "any", "localhost", "6380", "c"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_EQ(outcome.out, "store: a\nstore: b\nother: c\n");
}

}  // namespace
}  // namespace isoenv::test
