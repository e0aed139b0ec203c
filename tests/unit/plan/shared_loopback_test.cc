// Plans for the ports rung: no namespaces, one loopback for all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/addressing.h"
#include "unit/plan/plan_case.h"

namespace isoenv {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

PlanOptions shared_options(std::vector<std::uint16_t> reserved = {}) {
  PlanOptions options = case_options();
  options.shared_loopback = true;
  options.reserved = std::move(reserved);
  return options;
}

std::string shared_faults(const EnvironmentSpec& spec) {
  const PlanResult result = make_plan(spec, shared_options());
  const auto* faults = std::get_if<std::vector<Diagnostic>>(&result);
  return faults == nullptr ? "" : render("", *faults);
}

TEST(SharedLoopbackTest, ReachesEveryServiceAtTheHostsLoopback) {
  const EnvironmentPlan plan =
      good_plan(spec_of(R"("user": {"command": ["x", "{{self.host}}"], "ports": {"http": 3000}},
                 "order": {"command": ["x", "{{user.url}}"], "ports": {"http": 3001}})"),
                shared_options());
  EXPECT_TRUE(plan.shared_loopback);
  EXPECT_EQ(plan.hosts, "");
  const ServicePlan& user = service_of(plan, "user");
  EXPECT_EQ(user.ipv4, "127.0.0.1");
  EXPECT_EQ(user.ipv6, "");
  EXPECT_THAT(user.command, ElementsAre("x", "127.0.0.1"));
  EXPECT_THAT(service_of(plan, "order").command, ElementsAre("x", "http://127.0.0.1:3000"));
  EXPECT_THAT(plan.variables, testing::Contains(Pair("ISOENV_USER_HOST", "127.0.0.1")));
  EXPECT_THAT(plan.variables, testing::Contains(Pair("ISOENV_USER_URL", "http://127.0.0.1:3000")));
}

TEST(SharedLoopbackTest, TakesTheReservedNumbersInTheOrderWritten) {
  const EnvironmentSpec spec =
      spec_of(R"("a": {"command": ["x"], "ports": {"p": "auto", "q": 80, "r": "auto/udp"}},
                 "b": {"command": ["x"], "ports": {"p": "auto"}})");
  EXPECT_THAT(assigned_protocols(spec),
              ElementsAre(Protocol::kTcp, Protocol::kUdp, Protocol::kTcp));
  const EnvironmentPlan plan = good_plan(spec, shared_options({31000, 22000, 25000}));
  const ServicePlan& a = service_of(plan, "a");
  EXPECT_EQ(a.ports[0].number, 31000);
  EXPECT_EQ(a.ports[1].number, 80);
  EXPECT_EQ(a.ports[2].number, 22000);
  EXPECT_EQ(service_of(plan, "b").ports[0].number, 25000);
}

TEST(SharedLoopbackTest, RefusesANumberThatTwoServicesFix) {
  const EnvironmentSpec spec =
      spec_of(R"("a": {"command": ["x"], "ports": {"http": 3000, "stats": "3000/udp"}},
                 "b": {"command": ["x"], "ports": {"http": 3000}})");
  EXPECT_EQ(plan_faults(spec), "");
  EXPECT_EQ(shared_faults(spec),
            "services.b.ports.http: 'a' and 'b' both fix port 3000, and without namespaces all "
            "services share one loopback; write \"auto\" instead of the number, and let the "
            "service read $PORT");
}

TEST(SharedLoopbackTest, TakesAPublishedPortForThePortItself) {
  const EnvironmentPlan plan = good_plan(
      spec_of(R"("a": {"command": ["x"], "ports": {"http": 3000}, "publish": {"http": "auto"},
                       "localhost": ["http"]},
                 "b": {"command": ["x"], "ports": {"http": 3001}, "publish": {"http": 8080},
                       "localhost": {"http": 8080}})"),
      shared_options());
  EXPECT_EQ(service_of(plan, "a").publish[0].number, 3000);
  EXPECT_EQ(service_of(plan, "a").localhost[0].number, 3000);
  EXPECT_EQ(service_of(plan, "b").publish[0].number, 8080);
}

TEST(SharedLoopbackTest, RefusesToPublishOnAnotherServicesPort) {
  const EnvironmentSpec spec = spec_of(
      R"("a": {"command": ["x"], "ports": {"http": 3000}},
         "b": {"command": ["x"], "ports": {"http": 3001}, "localhost": {"http": 3000}})");
  EXPECT_EQ(plan_faults(spec), "");
  EXPECT_THAT(shared_faults(spec), HasSubstr("both take port 3000 of the loopback that all share"));
}

}  // namespace
}  // namespace isoenv
