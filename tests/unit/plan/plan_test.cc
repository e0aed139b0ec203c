#include "plan/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "unit/plan/plan_case.h"

namespace isoenv {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

/// order → seed → user, basket: seed is a task.
EnvironmentSpec shop() {
  return spec_of(R"("order": {"command": ["x"], "depends": ["user", "seed"]},
                    "user": {"command": ["x"], "ports": {"http": 3000}},
                    "basket": {"command": ["x"]})",
                 R"("seed": {"command": ["x"], "depends": {"user": "started"}})");
}

TEST(PlanTest, StartsDependenciesBeforeDependents) {
  EXPECT_EQ(order_of(good_plan(shop())), "user, seed, order, basket");
}

TEST(PlanTest, PointsDependenciesAtThePlansOwnOrder) {
  const EnvironmentPlan plan = good_plan(shop());
  const ServicePlan& order = service_of(plan, "order");
  ASSERT_EQ(order.depends.size(), 2u);
  EXPECT_EQ(plan.services[order.depends[0].service].name, "user");
  EXPECT_EQ(order.depends[0].need, Need::kReady);
  EXPECT_EQ(plan.services[order.depends[1].service].name, "seed");
  EXPECT_EQ(order.depends[1].need, Need::kCompleted);
  EXPECT_EQ(service_of(plan, "seed").depends[0].need, Need::kStarted);
}

TEST(PlanTest, AddressesServicesByTheirPlaceInTheSpec) {
  const EnvironmentPlan plan = good_plan(shop());
  EXPECT_EQ(plan.hub_ipv4, "10.79.0.1");
  EXPECT_EQ(plan.hub_ipv6, "fd69:736f:656e:7600::1");
  EXPECT_EQ(plan.ipv4_prefix, 16u);
  EXPECT_EQ(plan.ipv6_prefix, 64u);
  EXPECT_EQ(service_of(plan, "order").ipv4, "10.79.0.2");
  EXPECT_EQ(service_of(plan, "user").ipv6, "fd69:736f:656e:7600::3");
  EXPECT_EQ(service_of(plan, "seed").ipv4, "10.79.0.5");
}

TEST(PlanTest, FindsServicesByName) {
  const EnvironmentPlan plan = good_plan(shop());
  EXPECT_EQ(plan.find("seed"), 1u);
  EXPECT_EQ(plan.find("nope"), plan.services.size());
}

TEST(PlanTest, ClosesOverAllDependencies) {
  const EnvironmentPlan plan = good_plan(shop());
  EXPECT_THAT(plan.closure({}), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(plan.closure({plan.find("order")}), ElementsAre(0, 1, 2));
  EXPECT_THAT(plan.closure({plan.find("basket"), plan.find("user")}), ElementsAre(0, 3));
}

TEST(PlanTest, RefusesACycle) {
  EXPECT_EQ(plan_faults(spec_of(R"("a": {"command": ["x"], "depends": ["b"]},
                                   "b": {"command": ["x"], "depends": ["a"]})")),
            "services.a.depends: dependency cycle: a → b → a; remove one of these dependencies");
  EXPECT_EQ(plan_faults(spec_of(R"("a": {"command": ["x"], "depends": ["a"]})")),
            "services.a.depends: dependency cycle: a → a; remove one of these dependencies");
  EXPECT_EQ(plan_faults(spec_of(R"("z": {"command": ["x"], "depends": ["c"]},
                                   "a": {"command": ["x"], "depends": ["b"]},
                                   "b": {"command": ["x"], "depends": ["t"]},
                                   "c": {"command": ["x"], "depends": ["b"]})",
                                R"("t": {"command": ["x"], "depends": ["a"]})")),
            "services.a.depends: dependency cycle: a → b → t → a; remove one of these "
            "dependencies");
}

TEST(PlanTest, RefusesUnknownDependencies) {
  EXPECT_EQ(plan_faults(spec_of(R"("order": {"command": ["x"], "depends": ["usr", "people"]},
                                   "user": {"command": ["x"], "aliases": ["people"]})")),
            "services.order.depends: there is no service or task 'usr'; did you mean 'user'?\n"
            "services.order.depends: there is no service or task 'people'; it is an alias: write "
            "'user'");
}

TEST(PlanTest, ProbesEveryTcpPortByDefault) {
  const EnvironmentPlan plan = good_plan(spec_of(
      R"("user": {"command": ["x"], "ports": {"http": 80, "stats": "81/udp", "admin": "auto"}},
         "dns": {"command": ["x"], "ports": {"dns": "53/udp"}})"));
  const std::vector<ProbePlan>& probes = service_of(plan, "user").ready;
  ASSERT_EQ(probes.size(), 2u);
  EXPECT_EQ(probes[0].kind, ProbeKind::kTcp);
  EXPECT_EQ(probes[0].port_name, "http");
  EXPECT_EQ(probes[0].port, 80);
  EXPECT_EQ(probes[1].port_name, "admin");
  EXPECT_EQ(probes[1].port, 20000);
  EXPECT_THAT(service_of(plan, "dns").ready, IsEmpty());
}

TEST(PlanTest, KeepsWrittenProbesAndRendersThem) {
  EnvironmentSpec spec = spec_of(
      R"("user": {"command": ["x"], "ports": {"http": "auto", "stats": "auto/udp"},
                  "ready": [{"http": "http", "path": "/{{self.name}}", "status": 204,
                             "body": "{{x}}"},
                            {"udp": "stats"}, {"log": "on {{self.port}}"},
                            {"exec": ["check", "{{self.url}}"]}, {"file": "{{self.tmp}}/pid"},
                            {"unix": "{{self.dir}}/sock"}, {"notify": true}]})");
  const EnvironmentPlan plan = good_plan(spec);
  const std::vector<ProbePlan>& probes = plan.services[0].ready;
  ASSERT_EQ(probes.size(), 7u);
  EXPECT_EQ(probes[0].kind, ProbeKind::kHttp);
  EXPECT_EQ(probes[0].port, 20000);
  EXPECT_EQ(probes[0].path, "/user");
  EXPECT_EQ(probes[0].status, 204);
  EXPECT_EQ(probes[0].pattern, "{{x}}");
  EXPECT_EQ(probes[1].port, 20001);
  EXPECT_EQ(probes[2].pattern, "on {{self.port}}");
  EXPECT_THAT(probes[3].command, ElementsAre("check", "http://user:20000"));
  EXPECT_EQ(probes[4].path, "/tmp/user/pid");
  EXPECT_EQ(probes[5].path, "/art/user/sock");
  EXPECT_EQ(probes[6].kind, ProbeKind::kNotify);
}

TEST(PlanTest, WaitsForTheExitOfEveryTask) {
  const EnvironmentPlan plan =
      good_plan(spec_of("", R"("a": {"command": ["x"], "ports": {"http": 80}},
                     "b": {"command": ["x"], "ready": [{"file": "done"}]},
                     "c": {"command": ["x"], "ready": [{"exit": 3}]})"));
  const auto last = [&](const char* name) { return service_of(plan, name).ready.back(); };
  EXPECT_EQ(service_of(plan, "a").ready.size(), 1u);
  EXPECT_EQ(last("a").kind, ProbeKind::kExit);
  EXPECT_EQ(last("a").status, 0);
  EXPECT_EQ(service_of(plan, "b").ready.size(), 2u);
  EXPECT_EQ(last("b").kind, ProbeKind::kExit);
  EXPECT_EQ(service_of(plan, "c").ready.size(), 1u);
  EXPECT_EQ(last("c").status, 3);
}

TEST(PlanTest, SetsVariablesInTheOrderThatLetsTheServiceWin) {
  EnvironmentSpec spec = spec_of(
      R"("user": {"command": ["x"], "ports": {"http": 80, "my-admin": 81},
                  "env": {"PORT": "{{self.port.my-admin}}", "A": "own"}})");
  spec.env = {{"A", "shared {{self.name}}"}, {"SERVICE_NAME", "x"}};
  const EnvironmentPlan plan = good_plan(spec);
  EXPECT_THAT(
      plan.variables,
      ElementsAre(Pair("ISOENV_USER_HOST", "user"), Pair("ISOENV_USER_PORT", "80"),
                  Pair("ISOENV_USER_PORT_HTTP", "80"), Pair("ISOENV_USER_PORT_MY_ADMIN", "81"),
                  Pair("ISOENV_USER_URL", "http://user:80")));
  const ServicePlan& service = plan.services[0];
  EXPECT_THAT(service.env,
              ElementsAre(Pair("PORT", "80"), Pair("PORT_HTTP", "80"), Pair("PORT_MY_ADMIN", "81"),
                          Pair("SERVICE_NAME", "user"), Pair("TMPDIR", "/tmp/user"),
                          Pair("A", "shared user"), Pair("SERVICE_NAME", "x"), Pair("PORT", "81"),
                          Pair("A", "own")));
  EXPECT_EQ(env_of(service, "A"), "own");
}

TEST(PlanTest, SetsNoPortForAServiceWithoutPorts) {
  const EnvironmentPlan plan = good_plan(spec_of(R"("user": {"command": ["x"]})"));
  EXPECT_EQ(env_of(plan.services[0], "PORT"), "<unset>");
  EXPECT_THAT(plan.variables, ElementsAre(Pair("ISOENV_USER_HOST", "user")));
}

TEST(PlanTest, ListsTheScratchFoldersThatTemplatesName) {
  const EnvironmentPlan plan = good_plan(spec_of(
      R"("user": {"command": ["x", "{{initdb.dir}}/data"]}, "order": {"command": ["x"]},
         "initdb": {"command": ["x"], "env": {"A": "{{self.dir}}"}})"));
  EXPECT_THAT(plan.scratch_directories, ElementsAre("/art/initdb"));
}

TEST(PlanTest, CarriesTheRestOver) {
  const EnvironmentPlan plan = good_plan(spec_of(
      R"("user": {"command": ["bin/serve", "{{self.port}}"], "ports": {"http": 80},
                  "aliases": ["people"], "env_mode": "clean", "ready_timeout": "5s",
                  "stop_signal": "INT", "stop_timeout": "1s"})"));
  const ServicePlan& service = plan.services[0];
  EXPECT_EQ(plan.name, "shop");
  EXPECT_EQ(plan.spec_file, "/project/shop.json");
  EXPECT_THAT(service.command, ElementsAre("bin/serve", "80"));
  EXPECT_THAT(service.aliases, ElementsAre("people"));
  EXPECT_EQ(service.scratch_directory, "/art/user");
  EXPECT_EQ(service.env_mode, EnvMode::kClean);
  EXPECT_EQ(service.ready_timeout, 5s);
  EXPECT_EQ(service.stop_signal, SIGINT);
  EXPECT_EQ(service.stop_timeout, 1s);
}

TEST(PlanTest, StartsServicesInTheSpecsFolderUnlessToldOtherwise) {
  const auto folder = [](const std::string& member) {
    return good_plan(spec_of(R"("user": {"command": ["x"])" + member + "}"))
        .services[0]
        .working_directory.string();
  };
  EXPECT_EQ(folder(""), "/project");
  EXPECT_EQ(folder(R"(, "working_directory": "services/{{self.name}}/")"),
            "/project/services/user");
  EXPECT_EQ(folder(R"(, "working_directory": "./../x")"), "/x");
  EXPECT_EQ(folder(R"(, "working_directory": "/srv")"), "/srv");
  EXPECT_EQ(folder(R"(, "working_directory": "/")"), "/");
}

TEST(PlanTest, RendersLaunchers) {
  EXPECT_THAT(good_plan(spec_of(R"("user": {"command": ["x"],
                  "launcher": ["strace", "-o", "{{self.name}}.trace"]})")).services[0].launcher,
              ElementsAre("strace", "-o", "user.trace"));
}

TEST(PlanTest, ForwardsPortsByNumber) {
  const EnvironmentPlan plan = good_plan(spec_of(
      R"("user": {"command": ["x"], "ports": {"http": 80, "admin": "auto"},
                  "publish": {"http": "auto", "admin": 8080}, "localhost": ["http", "admin"]})"));
  const ServicePlan& service = plan.services[0];
  ASSERT_EQ(service.publish.size(), 2u);
  EXPECT_EQ(service.publish[0].port, "http");
  EXPECT_EQ(service.publish[0].target, 80);
  EXPECT_EQ(service.publish[0].number, 0);
  EXPECT_EQ(service.publish[1].target, 20000);
  EXPECT_EQ(service.publish[1].number, 8080);
  ASSERT_EQ(service.localhost.size(), 2u);
  EXPECT_EQ(service.localhost[0].number, 80);
  EXPECT_EQ(service.localhost[1].number, 20000);
}

TEST(PlanTest, RefusesTwoServicesOnOneLoopbackPort) {
  EXPECT_EQ(plan_faults(spec_of(
                R"("user": {"command": ["x"], "ports": {"http": 80}, "localhost": ["http"]},
                   "order": {"command": ["x"], "ports": {"api": 80}, "localhost": ["api"]})")),
            "services.order.localhost.api: 'order' (port 'api') and 'user' (port 'http') both "
            "take port 80 of localhost; give one of them another number");
  EXPECT_EQ(
      plan_faults(spec_of(R"("user": {"command": ["x"], "ports": {"a": 1, "b": 2},
                                      "publish": {"a": 8080, "b": 8080}})")),
      "services.user.publish.b: 'user' (port 'b') and 'user' (port 'a') both take port 8080 of "
      "the host's localhost; give one of them another number");
}

TEST(PlanTest, TakesOneNumberForTheHostAndTheInstance) {
  EXPECT_EQ(plan_faults(spec_of(
                R"("user": {"command": ["x"], "ports": {"http": 80}, "localhost": ["http"]},
                   "order": {"command": ["x"], "ports": {"http": 80}, "publish": ["http"]},
                   "a": {"command": ["x"], "ports": {"http": 80}, "publish": {"http": "auto"}},
                   "b": {"command": ["x"], "ports": {"http": 80}, "publish": {"http": "auto"}})")),
            "");
}

TEST(PlanTest, RefusesATemplateNamingAnUnknownService) {
  EXPECT_EQ(plan_faults(spec_of(R"("order": {"command": ["x", "{{usr.host}}"],
                                             "env": {"A": "{{user.port.htp}}"},
                                             "working_directory": "{{slf.dir}}",
                                             "ready": [{"exec": ["x", "{{a.b}}"]},
                                                       {"file": "{{c"}]},
                                   "user": {"command": ["x"], "ports": {"http": 80}})")),
            "services.order.command[1]: '{{usr.host}}' names no service: 'usr'; did you mean "
            "'{{user.host}}'?\n"
            "services.order.working_directory: '{{slf.dir}}' names no service: 'slf'; did you mean "
            "'{{self.dir}}'?\n"
            "services.order.env.A: '{{user.port.htp}}' names no port of 'user'; did you mean "
            "'{{user.port.http}}'?\n"
            "services.order.ready[0].exec[1]: '{{a.b}}' names no service: 'a'; expected one of "
            "self, line, order, user, or write '{{{{' for a literal '{{'\n"
            "services.order.ready[1].file: '{{' is never closed with '}}'; write '{{{{' for a "
            "literal '{{'");
}

TEST(PlanTest, ReportsAFaultOfTheSharedEnvironmentOnce) {
  EnvironmentSpec spec = shop();
  spec.env = {{"A", "{{nope.host}}"}};
  EXPECT_EQ(plan_faults(spec),
            "env.A: '{{nope.host}}' names no service: 'nope'; expected one of self, line, order, "
            "user, basket, seed, or write '{{{{' for a literal '{{'");
}

TEST(PlanTest, RefusesWhatIsEmptyOnceRendered) {
  EnvironmentSpec spec = spec_of(
      R"("user": {"command": ["{{line.1}}", ""], "ports": {"http": 80},
                  "ready": [{"exec": ["{{line.1}}"]}, {"file": "{{line.1}}"},
                            {"unix": "{{line.1}}"}, {"http": "http", "path": "{{line.1}}"}]})");
  spec.lines = {""};
  EXPECT_EQ(plan_faults(spec),
            "services.user.command[0]: the program's name is empty once rendered\n"
            "services.user.ready[0].exec[0]: the program's name is empty once rendered\n"
            "services.user.ready[1].file: the path is empty once rendered\n"
            "services.user.ready[2].unix: the path is empty once rendered\n"
            "services.user.ready[3].path: the path '' does not begin with '/'");
}

TEST(PlanTest, RefusesPathsThatNoRequestCanCarry) {
  const auto fault = [](const std::string& path) {
    return plan_faults(spec_of(R"("user": {"command": ["x"], "ports": {"http": 80},
                            "ready": [{"http": "http", "path": ")" +
                               path + "\"}]}"));
  };
  EXPECT_EQ(fault("/a?b=%20"), "");
  for (const char* path : {"/a b", "/ä", "/a\\r\\nX: y"}) {
    EXPECT_THAT(fault(path), testing::HasSubstr("has a character no request can carry; "
                                                "percent-encode it, a space is %20"));
  }
}

TEST(PlanTest, ReportsFaultsOfEveryKindAtOnce) {
  EXPECT_EQ(plan_faults(spec_of(
                R"("a": {"command": ["{{c.host}}"], "depends": ["b", "x"], "aliases": ["b"]},
                   "b": {"command": ["x"], "depends": ["a"]})")),
            "services.a.aliases[0]: the alias 'b' is already the name of 'b'; remove or rename one "
            "of them\n"
            "services.a.depends: there is no service or task 'x'; did you mean 'a'?\n"
            "services.a.depends: dependency cycle: a → b → a; remove one of these dependencies\n"
            "services.a.command[0]: '{{c.host}}' names no service: 'c'; did you mean "
            "'{{a.host}}'?");
}

TEST(PlanTest, PlansAnEmptyEnvironment) {
  const EnvironmentPlan plan = good_plan(EnvironmentSpec{});
  EXPECT_THAT(plan.services, IsEmpty());
  EXPECT_EQ(plan.hosts, "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
  EXPECT_THAT(plan.closure({}), IsEmpty());
}

/// s0 depends on s1, s1 on s2 …
std::string chain(std::size_t length, bool closed) {
  std::string services;
  for (std::size_t i = 0; i < length; ++i) {
    services += (i == 0 ? "\"s" : ", \"s") + std::to_string(i) + R"(": {"command": ["x"])";
    if (i + 1 < length || closed) {
      services += R"(, "depends": ["s)" + std::to_string((i + 1) % length) + "\"]";
    }
    services += "}";
  }
  return services;
}

TEST(PlanTest, PlansAChainOfAThousandServices) {
  const EnvironmentPlan plan = good_plan(spec_of(chain(1000, false)));
  ASSERT_EQ(plan.services.size(), 1000u);
  EXPECT_EQ(plan.services.front().name, "s999");
  EXPECT_EQ(plan.services.front().ipv4, "10.79.3.233");
  EXPECT_EQ(plan.services.back().name, "s0");
  EXPECT_EQ(plan.closure({500}).size(), 501u);
}

TEST(PlanTest, PrintsEvenACycleOfAThousandServices) {
  const std::string fault = plan_faults(spec_of(chain(1000, true)));
  EXPECT_THAT(fault, testing::StartsWith("services.s0.depends: dependency cycle: s0 → s1 → s2"));
  EXPECT_THAT(fault, testing::EndsWith("s999 → s0; remove one of these dependencies"));
}

}  // namespace
}  // namespace isoenv
