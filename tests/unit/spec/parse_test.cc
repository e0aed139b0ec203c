#include "spec/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/spec/parse_case.h"

namespace isoenv {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(ParseTest, ReadsServicesThenTasksInTheOrderWritten) {
  const EnvironmentSpec spec = parse_good(R"({
    "tasks": {"seed": {"command": ["fill"]}},
    "$schema": "isoenv.schema.json", "version": 1, "environment": "shop",
    "env": {"B": "2", "A": "1"},
    "services": {"user": {"command": ["a"]}, "basket": {"command": ["b"]}}})");
  EXPECT_EQ(spec.name, "shop");
  EXPECT_EQ(spec.file, "");
  EXPECT_THAT(spec.env, ElementsAre(Pair("B", "2"), Pair("A", "1")));
  ASSERT_EQ(spec.services.size(), 3u);
  EXPECT_EQ(spec.services[0].name, "user");
  EXPECT_EQ(spec.services[1].name, "basket");
  EXPECT_EQ(spec.services[2].name, "seed");
  EXPECT_FALSE(spec.services[1].is_task);
  EXPECT_TRUE(spec.services[2].is_task);
}

TEST(ParseTest, TakesAnEnvironmentWithoutServices) {
  EXPECT_TRUE(parse_good(R"({"version": 1, "environment": "empty"})").services.empty());
}

TEST(ParseTest, ReportsAllFaultsAtOnceInOneOrder) {
  EXPECT_EQ(faults_of(R"({"version": 2, "enviroment": "shop", "env": {"A": 5},
                          "services": {"user": {"prots": {}, "env": []}}})"),
            "enviroment: unknown key; did you mean 'environment'?\n"
            "version: version 2 is not known; this isoenv reads version 1\n"
            "missing key 'environment'\n"
            "env.A: expected a string, found the number 5; write \"5\"\n"
            "services.user.prots: unknown key; did you mean 'ports'?\n"
            "services.user.env: expected an object, found a list\n"
            "services.user: missing key 'command'");
}

TEST(ParseTest, RefusesATextThatIsNoObject) {
  EXPECT_EQ(faults_of("[]"), "expected an object, found a list");
}

TEST(ParseTest, RefusesAnUnknownKey) {
  EXPECT_EQ(faults_of(R"({"version": 1, "environment": "a", "volumes": {}})"),
            "volumes: unknown key; expected one of $schema, version, environment, env, lines, "
            "services, tasks");
}

TEST(ParseTest, AsksForTheVersion) {
  EXPECT_EQ(faults_of(R"({"environment": "a"})"), "missing key 'version'; write \"version\": 1");
  EXPECT_EQ(faults_of(R"({"version": "1", "environment": "a"})"),
            "version: expected the number 1, found '1'");
}

TEST(ParseTest, RefusesAKeyThatStandsTwice) {
  EXPECT_EQ(faults_of("{\"version\": 1, \"environment\": \"a\",\n\"services\": {},\n"
                      "\"services\": {}}"),
            "services: the key stands twice, again in line 3; remove or rename one of them");
}

TEST(ParseTest, RefusesWrongTypesAtTheTop) {
  EXPECT_EQ(faults_of(R"({"$schema": 1, "version": null, "environment": [], "env": "A=1",
                          "lines": {}, "services": [], "tasks": "x"})"),
            "$schema: expected a string, found the number 1; write \"1\"\n"
            "version: expected the number 1, found null\n"
            "environment: expected a string, found a list\n"
            "env: expected an object, found 'A=1'\n"
            "lines: expected a string, found an object\n"
            "services: expected an object, found a list\n"
            "tasks: expected an object, found 'x'");
}

TEST(ParseTest, RefusesABadEnvironmentName) {
  const auto fault = [](const std::string& name) {
    return faults_of("{\"version\": 1, \"environment\": \"" + name + "\"}");
  };
  const std::string hint = "; use lower-case letters, digits and inner '-'";
  EXPECT_EQ(fault("Shop"), "environment: 'Shop' is not a name for an environment" + hint);
  EXPECT_EQ(fault("my_shop"), "environment: 'my_shop' is not a name for an environment" + hint);
  EXPECT_EQ(fault("-shop"), "environment: '-shop' is not a name for an environment" + hint);
  EXPECT_EQ(fault("shop-"), "environment: 'shop-' is not a name for an environment" + hint);
  EXPECT_EQ(fault("../shop"), "environment: '../shop' is not a name for an environment" + hint);
  EXPECT_EQ(fault(""), "environment: expected a string that is not empty");
  EXPECT_EQ(fault(std::string(63, 'a')), "");
  EXPECT_EQ(fault(std::string(64, 'a')),
            "environment: the name of the environment has 64 characters; use at most 63");
}

TEST(ParseTest, RefusesServiceNamesThatCannotBeHosts) {
  const auto fault = [](const std::string& name) {
    return faults_of(R"({"version": 1, "environment": "a", "services": {")" + name +
                     R"(": {"command": ["x"]}}})");
  };
  EXPECT_EQ(fault("a.b"),
            "services.'a.b': 'a.b' is not a name for a service; use lower-case letters, digits "
            "and inner '-'");
  EXPECT_EQ(fault(""),
            "services.'': '' is not a name for a service; use lower-case letters, digits and "
            "inner '-'");
  EXPECT_EQ(fault("self"), "services.self: the name 'self' is reserved; choose another name");
  EXPECT_EQ(fault("line"), "services.line: the name 'line' is reserved; choose another name");
  EXPECT_EQ(fault("localhost"),
            "services.localhost: the name 'localhost' is reserved; choose another name");
  EXPECT_EQ(fault("10"), "services.10: the name '10' reads as an IP address; put a letter first");
  EXPECT_EQ(fault("0x7f"),
            "services.0x7f: the name '0x7f' reads as an IP address; put a letter first");
  EXPECT_EQ(fault("0xyz"), "");
  EXPECT_EQ(fault("2nd"), "");
}

TEST(ParseTest, RefusesATaskNamedLikeAService) {
  EXPECT_EQ(faults_of(R"({"version": 1, "environment": "a",
                          "services": {"user": {"command": ["x"]}},
                          "tasks": {"user": {"command": ["x"]}}})"),
            "tasks.user: there is a service named 'user' too; rename one of them");
}

TEST(ParseTest, RefusesServicesThatAreNoObjects) {
  EXPECT_EQ(faults_of(R"({"version": 1, "environment": "a", "services": {"user": "node x"}})"),
            "services.user: expected an object, found 'node x'");
}

std::string spec_of_size(std::size_t count) {
  std::string text = R"({"version": 1, "environment": "big", "services": {)";
  for (std::size_t i = 0; i < count; ++i) {
    text += (i == 0 ? "\"s" : ", \"s") + std::to_string(i) + R"(": {"command": ["x"]})";
  }
  return text + "}}";
}

TEST(ParseTest, TakesAThousandServicesAndNoMore) {
  EXPECT_EQ(parse_good(spec_of_size(1000)).services.size(), 1000u);
  EXPECT_EQ(faults_of(spec_of_size(1001)),
            "1001 services and tasks in one environment; the most is 1000");
}

TEST(ParseTest, SurvivesEveryCutOfAGoodSpec) {
  const std::string text = with_service(R"("ports": {"http": "auto"}, "ready": [{"log": "ä\n"}])");
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_NE(faults_of(text.substr(0, size)), "") << size;
  }
}

}  // namespace
}  // namespace isoenv
