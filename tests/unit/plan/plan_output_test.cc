#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "unit/plan/plan_case.h"

namespace isoenv {
namespace {

using nlohmann::json;

EnvironmentSpec full_shop() {
  return spec_of(
      R"("order": {"command": ["./order"], "ports": {"http": 3000},
                   "depends": {"user": "started", "seed": "completed"}, "localhost": ["http"],
                   "env": {"USER_URL": "{{user.url}}", "PORT": "1"}},
         "user": {"command": ["node", "index.js"], "aliases": ["people"],
                  "ports": {"http": 3000, "admin": "auto", "stats": "8125/udp"},
                  "ready": [{"http": "http", "path": "/health", "status": 200, "body": "ok"},
                            {"udp": "stats"}, {"log": "up\\n"}, {"exec": ["check", "x"]},
                            {"file": "pid"}, {"unix": "sock"}, {"notify": true}],
                  "publish": {"http": "auto", "admin": 8080}},
         "idle": {"command": ["sleep", "inf"]})",
      R"("seed": {"command": ["./seed.sh"], "depends": ["user"]})");
}

TEST(PlanTextTest, ShowsTheStartOrderInColumns) {
  EXPECT_EQ(plan_text(good_plan(spec_of(
                R"("order": {"command": ["x"], "ports": {"http": 3000}, "depends": ["user", "seed"],
                       "localhost": ["http"]},
             "user": {"command": ["x"], "ports": {"http": 3000, "stats": "auto/udp"},
                      "publish": {"http": "auto"}})",
                R"("seed": {"command": ["x"], "depends": {"user": "started"}})"))),
            "environment shop: 2 services, 1 task, in start order\n"
            "\n"
            "#  NAME   KIND     ADDRESS    PORTS                                  DEPENDS          "
            "       "
            "    READY\n"
            "1  user   service  10.79.0.3  http 3000, stats 20000/udp (assigned)  -                "
            "       "
            "    tcp http\n"
            "2  seed   task     10.79.0.4  -                                      user started     "
            "       "
            "    exit 0\n"
            "3  order  service  10.79.0.2  http 3000                              user ready, seed "
            "completed  tcp http\n"
            "\n"
            "PORT        ALSO ON\n"
            "user http   the host's localhost, any free port\n"
            "order http  localhost:3000\n");
}

TEST(PlanTextTest, NamesEveryKindOfProbe) {
  EXPECT_THAT(plan_text(good_plan(full_shop())),
              testing::HasSubstr("http http /health 200 body 'ok', udp stats, log 'up\\n', exec "
                                 "'check x', file 'pid', unix 'sock', notify\n"));
}

TEST(PlanTextTest, SaysThatAServiceWithoutProbesNeedOnlyStart) {
  EXPECT_THAT(plan_text(good_plan(spec_of(R"("idle": {"command": ["sleep", "inf"]})"))),
              testing::EndsWith("1  idle  service  10.79.0.2  -      -        started\n"));
}

TEST(PlanTextTest, HasNoTablesForAnEmptyEnvironment) {
  EXPECT_EQ(plan_text(good_plan(spec_of(""))),
            "environment shop: 0 services, 0 tasks, in start order\n");
}

TEST(PlanJsonTest, TellsEverythingOfAService) {
  const json root = json::parse(plan_json(good_plan(full_shop())));
  EXPECT_EQ(root.at("environment"), "shop");
  EXPECT_EQ(root.at("spec_file"), "/project/shop.json");
  EXPECT_EQ(root.at("hub"), json::parse(R"({"ipv4": "10.79.0.1", "ipv4_prefix": 16,
      "ipv6": "fd69:736f:656e:7600::1", "ipv6_prefix": 64})"));
  EXPECT_EQ(root.at("variables").at("ISOENV_USER_URL"), "http://user:3000");
  EXPECT_EQ(root.at("hosts"), good_plan(full_shop()).hosts);
  ASSERT_EQ(root.at("services").size(), 4u);
  EXPECT_EQ(root.at("services").at(0), json::parse(R"({
      "name": "user", "kind": "service", "ipv4": "10.79.0.3", "ipv6": "fd69:736f:656e:7600::3",
      "aliases": ["people"],
      "ports": [{"name": "http", "number": 3000, "protocol": "tcp", "assigned": false},
                {"name": "admin", "number": 20000, "protocol": "tcp", "assigned": true},
                {"name": "stats", "number": 8125, "protocol": "udp", "assigned": false}],
      "command": ["node", "index.js"], "launcher": [], "working_directory": "/project",
      "scratch_directory": "/art/user", "env_mode": "inherit", "secret_env": [], "user": "",
      "env": {"PORT": "3000", "PORT_HTTP": "3000", "PORT_ADMIN": "20000", "PORT_STATS": "8125",
              "SERVICE_NAME": "user", "TMPDIR": "/tmp/user"},
      "depends": {},
      "ready": [{"kind": "http", "port": "http", "number": 3000, "path": "/health", "status": 200,
                 "pattern": "ok"},
                {"kind": "udp", "port": "stats", "number": 8125},
                {"kind": "log", "pattern": "up\\n"}, {"kind": "exec", "command": ["check", "x"]},
                {"kind": "file", "path": "pid"}, {"kind": "unix", "path": "sock"},
                {"kind": "notify"}],
      "ready_timeout": "30000ms", "stop_signal": "SIGTERM", "stop_timeout": "10000ms", "log_limit": "262144KiB",
      "restart": "never", "expect_exit": [], "allow_failure": false,
      "publish": [{"port": "http", "target": 3000, "number": "auto"},
                  {"port": "admin", "target": 20000, "number": 8080}],
      "localhost": []})"));
}

TEST(PlanJsonTest, TellsDependenciesTasksAndTheValueThatWins) {
  const json root = json::parse(plan_json(good_plan(full_shop())));
  const json& seed = root.at("services").at(1);
  EXPECT_EQ(seed.at("kind"), "task");
  EXPECT_EQ(seed.at("ready"), json::parse(R"([{"kind": "exit", "status": 0}])"));
  const json& order = root.at("services").at(2);
  EXPECT_EQ(order.at("depends"), json::parse(R"({"user": "started", "seed": "completed"})"));
  EXPECT_EQ(order.at("env").at("PORT"), "1");
  EXPECT_EQ(order.at("env").at("USER_URL"), "http://user:3000");
}

EnvironmentSpec with_secrets() {
  return spec_of(R"("user": {"command": ["x"], "secret_env": ["API_TOKEN", "DB_KEY"]},
                    "store": {"command": ["x"], "user": "postgres", "log_limit": "1MiB"},
                    "other": {"command": ["x"]})");
}

TEST(PlanTextTest, NamesSecretsAndAccounts) {
  EXPECT_THAT(plan_text(good_plan(with_secrets())),
              testing::EndsWith("\n"
                                "NAME   RUNS AS   SECRETS\n"
                                "user   -         API_TOKEN, DB_KEY\n"
                                "store  postgres  -\n"));
}

TEST(PlanJsonTest, NamesSecretsAndAccounts) {
  const json root = json::parse(plan_json(good_plan(with_secrets())));
  const json& user = root.at("services").at(0);
  EXPECT_EQ(user.at("secret_env"), json::parse(R"(["API_TOKEN", "DB_KEY"])"));
  EXPECT_EQ(user.at("user"), "");
  EXPECT_FALSE(user.at("env").contains("API_TOKEN"));
  const json& store = root.at("services").at(1);
  EXPECT_EQ(store.at("user"), "postgres");
  EXPECT_EQ(store.at("log_limit"), "1024KiB");
}

TEST(PlanJsonTest, IsTheSameByteForByteEachTime) {
  const std::string text = plan_json(good_plan(full_shop()));
  EXPECT_EQ(plan_json(good_plan(full_shop())), text);
  EXPECT_EQ(text.back(), '\n');
}

TEST(PlanJsonTest, StaysJsonWithBytesThatAreNotUtf8) {
  EnvironmentSpec spec = spec_of(R"("user": {"command": ["{{line.1}}"]})");
  spec.lines = {"/bin/\xff"};
  const json root = json::parse(plan_json(good_plan(spec)));
  EXPECT_EQ(root.at("services").at(0).at("command").at(0), "/bin/\uFFFD");
}

}  // namespace
}  // namespace isoenv
