#include "plan/addressing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "unit/plan/plan_case.h"

namespace isoenv {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(AddressingTest, CountsHostsThroughBothAddressFamilies) {
  EXPECT_EQ(ipv4_address(1), "10.79.0.1");
  EXPECT_EQ(ipv4_address(255), "10.79.0.255");
  EXPECT_EQ(ipv4_address(256), "10.79.1.0");
  EXPECT_EQ(ipv4_address(1001), "10.79.3.233");
  EXPECT_EQ(ipv6_address(1), "fd69:736f:656e:7600::1");
  EXPECT_EQ(ipv6_address(1001), "fd69:736f:656e:7600::3e9");
}

TEST(AddressingTest, GivesEveryServiceAnAddressOfItsOwn) {
  std::set<std::string> addresses;
  for (std::size_t i = 0; i < 1000; ++i) {
    addresses.insert(ipv4_address(kFirstServiceHost + i));
    addresses.insert(ipv6_address(kFirstServiceHost + i));
  }
  addresses.insert(ipv4_address(kHubHost));
  EXPECT_EQ(addresses.size(), 2001u);
}

TEST(AddressingTest, AssignsPortsInOrderAroundFixedOnes) {
  const EnvironmentSpec spec = spec_of(
      R"("a": {"command": ["x"], "ports": {"p": "auto", "q": 80, "r": "auto/udp"}},
         "b": {"command": ["x"], "ports": {"p": "auto", "q": 20001, "r": 20000}})");
  std::vector<Diagnostic> faults;
  const auto ports = assign_ports(spec, case_options(), faults);
  EXPECT_TRUE(faults.empty());
  EXPECT_EQ(ports[0][0].number, 20002);
  EXPECT_TRUE(ports[0][0].assigned);
  EXPECT_EQ(ports[0][1].number, 80);
  EXPECT_FALSE(ports[0][1].assigned);
  EXPECT_EQ(ports[0][2].number, 20003);
  EXPECT_EQ(ports[0][2].protocol, Protocol::kUdp);
  EXPECT_EQ(ports[1][0].number, 20004);
  EXPECT_EQ(ports[1][1].number, 20001);
}

TEST(AddressingTest, ReportsThatNoPortIsLeft) {
  EnvironmentSpec spec = spec_of(R"("a": {"command": ["x"]})");
  for (int i = 0; i < 45537; ++i) {
    spec.services[0].ports.push_back({"p" + std::to_string(i), 0, Protocol::kTcp});
  }
  std::vector<Diagnostic> faults;
  assign_ports(spec, case_options(), faults);
  EXPECT_EQ(render("", faults),
            "services.a.ports.p45536: no port number is left to assign; fix some numbers");
}

TEST(AddressingTest, TellsEveryServiceByVariables) {
  const EnvironmentPlan plan = good_plan(spec_of(
      R"("user-api": {"command": ["x"], "ports": {"stats": "81/udp", "http": 3000, "admin": 90}},
         "dns": {"command": ["x"], "ports": {"dns": "53/udp"}})",
      R"("seed": {"command": ["x"]})"));
  EXPECT_THAT(
      plan.variables,
      ElementsAre(Pair("ISOENV_USER_API_HOST", "user-api"), Pair("ISOENV_USER_API_PORT", "81"),
                  Pair("ISOENV_USER_API_PORT_STATS", "81"),
                  Pair("ISOENV_USER_API_PORT_HTTP", "3000"),
                  Pair("ISOENV_USER_API_PORT_ADMIN", "90"),
                  Pair("ISOENV_USER_API_URL", "http://user-api:3000"),
                  Pair("ISOENV_DNS_HOST", "dns"), Pair("ISOENV_DNS_PORT", "53"),
                  Pair("ISOENV_DNS_PORT_DNS", "53"), Pair("ISOENV_SEED_HOST", "seed")));
}

TEST(AddressingTest, RefusesServicesThatWouldSetOneVariable) {
  EXPECT_EQ(plan_faults(spec_of(R"("x": {"command": ["x"], "ports": {"host": 80}},
                                   "x-port": {"command": ["x"]})")),
            "services.x-port: the variable ISOENV_X_PORT_HOST would also be set for 'x'; rename "
            "one of the two or its port");
}

TEST(AddressingTest, RefusesAliasesThatAreTakenAlready) {
  EXPECT_EQ(plan_faults(spec_of(
                R"("a": {"command": ["x"], "aliases": ["b", "c", "c", "a", "seed"]},
                   "b": {"command": ["x"], "aliases": ["c"]})",
                R"("seed": {"command": ["x"]})")),
            "services.a.aliases[0]: the alias 'b' is already the name of 'b'; remove or rename one "
            "of them\n"
            "services.a.aliases[2]: the alias 'c' is already an alias of 'a'; remove or rename one "
            "of them\n"
            "services.a.aliases[3]: the alias 'a' is already the name of 'a'; remove or rename one "
            "of them\n"
            "services.a.aliases[4]: the alias 'seed' is already the name of 'seed'; remove or "
            "rename one of them\n"
            "services.b.aliases[0]: the alias 'c' is already an alias of 'a'; remove or rename one "
            "of them");
}

EnvironmentSpec two_services() {
  return spec_of(R"("order": {"command": ["x"], "depends": ["user"]},
                    "user": {"command": ["x"], "aliases": ["people", "accounts"]})");
}

TEST(HostsTest, NamesEveryServiceInBothFamilies) {
  EXPECT_EQ(good_plan(two_services()).hosts,
            "127.0.0.1 localhost\n"
            "::1 localhost ip6-localhost ip6-loopback\n"
            "10.79.0.2 order\n"
            "fd69:736f:656e:7600::2 order\n"
            "10.79.0.3 user people accounts\n"
            "fd69:736f:656e:7600::3 user people accounts\n");
}

TEST(HostsTest, LeavesIpv6OutWhereThereIsNone) {
  PlanOptions options = case_options();
  options.ipv6 = false;
  options.hub_hostname = "box";
  const EnvironmentPlan plan = good_plan(two_services(), options);
  EXPECT_EQ(plan.hosts,
            "127.0.0.1 localhost\n10.79.0.2 order\n10.79.0.3 user people accounts\n"
            "10.79.0.1 box\n");
  EXPECT_EQ(plan.hub_ipv6, "");
  EXPECT_EQ(plan.services[0].ipv6, "");
}

TEST(HostsTest, NamesTheHubUnlessAServiceHasThatName) {
  PlanOptions options = case_options();
  const auto tail = [&](const std::string& hostname) {
    options.hub_hostname = hostname;
    const std::string text = good_plan(two_services(), options).hosts;
    return text.substr(good_plan(two_services()).hosts.size());
  };
  EXPECT_EQ(tail("Box.example"), "10.79.0.1 Box.example\nfd69:736f:656e:7600::1 Box.example\n");
  for (const char* taken : {"order", "User", "people", "localhost"}) EXPECT_EQ(tail(taken), "");
}

}  // namespace
}  // namespace isoenv
