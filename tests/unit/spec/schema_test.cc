// Holds schema/isoenv.schema.json and the parser against each other.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "spec/keys.h"
#include "unit/spec/parse_case.h"
#include "unit/spec/schema_check.h"

namespace isoenv {
namespace {

using nlohmann::json;
using testing::UnorderedElementsAreArray;

const json& schema() {
  static const json root = json::parse(std::ifstream(ISOENV_SCHEMA_FILE));
  return root;
}

const json& definition(const std::string& name) { return schema().at("$defs").at(name); }

std::vector<std::string> properties_of(const json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.at("properties").items()) names.push_back(name);
  return names;
}

TEST(SchemaTest, KnowsTheParsersKeysAndNoOthers) {
  EXPECT_THAT(properties_of(schema()), UnorderedElementsAreArray(spec_keys()));
  EXPECT_THAT(properties_of(definition("service")), UnorderedElementsAreArray(service_keys()));
  EXPECT_THAT(properties_of(definition("task")), UnorderedElementsAreArray(task_keys()));
}

TEST(SchemaTest, KnowsTheParsersProbes) {
  std::vector<std::string> kinds;
  for (const json& probe : definition("probe").at("oneOf")) {
    ASSERT_EQ(probe.at("required").size(), 1u);
    kinds.push_back(probe.at("required").front());
    std::vector<std::string> keys = probe_options(kinds.back());
    keys.push_back(kinds.back());
    EXPECT_THAT(properties_of(probe), UnorderedElementsAreArray(keys)) << kinds.back();
  }
  EXPECT_THAT(kinds, UnorderedElementsAreArray(probe_kinds()));
}

TEST(SchemaTest, KnowsTheParsersWords) {
  EXPECT_EQ(definition("env_mode").at("enum"), json(env_mode_words()));
  EXPECT_EQ(definition("restart").at("enum"), json(restart_words()));
  EXPECT_EQ(definition("depends").at("oneOf").at(0).at("additionalProperties").at("enum"),
            json(need_words()));
}

void expect_no_further_keys(const json& node, const std::string& where) {
  if (node.is_object() && node.contains("properties")) {
    EXPECT_EQ(node.value("additionalProperties", json()), json(false)) << where;
  }
  if (!node.is_structured()) return;
  for (const auto& [name, value] : node.items()) {
    expect_no_further_keys(value, where + "/" + name);
  }
}

TEST(SchemaTest, RefusesFurtherKeysEverywhere) { expect_no_further_keys(schema(), ""); }

TEST(SchemaTest, DescribesEveryKeyForEditors) {
  const auto is_described = [](const json& property) {
    if (property.contains("description")) return true;
    const std::string reference = property.value("$ref", "");
    return !reference.empty() &&
           schema().at(json::json_pointer(reference.substr(1))).contains("description");
  };
  for (const json* object : {&schema(), &definition("service"), &definition("task")}) {
    for (const auto& [name, property] : object->at("properties").items()) {
      EXPECT_TRUE(is_described(property)) << name;
    }
  }
}

TEST(SchemaTest, GivesTheParsersDefaults) {
  const json& properties = schema().at("$defs");
  const auto with_default = [&](const std::string& key) {
    return "\"" + key + "\": " + properties.at(key).at("default").dump();
  };
  const ServiceSpec written =
      good_service(with_default("env_mode") + ", " + with_default("ready_timeout") + ", " +
                   with_default("stop_signal") + ", " + with_default("stop_timeout") + ", " +
                   with_default("log_limit") + ", " + with_default("restart") + ", " +
                   with_default("allow_failure"));
  const ServiceSpec absent;
  EXPECT_EQ(written.env_mode, absent.env_mode);
  EXPECT_EQ(written.ready_timeout, absent.ready_timeout);
  EXPECT_EQ(written.stop_signal, absent.stop_signal);
  EXPECT_EQ(written.stop_timeout, absent.stop_timeout);
  EXPECT_EQ(written.log_limit, absent.log_limit);
  EXPECT_EQ(written.restart, absent.restart);
  EXPECT_EQ(written.allow_failure, absent.allow_failure);
}

/// Specs that both must take.
std::vector<std::string> good_specs() {
  const std::string ports = R"("ports": {"http": 80, "a": "81", "b": "auto", "c": "auto/udp"}, )";
  return {
      R"({"version": 1, "environment": "a"})",
      R"({"$schema": "x", "version": 1, "environment": "a-b", "env": {"A": "b"}, "services": {},
          "tasks": {}})",
      with_service(""),
      with_service(ports + R"("publish": {"http": 80, "a": "auto"}, "localhost": ["b"])"),
      with_service(ports + R"("publish": ["http"], "localhost": {"b": "8080"})"),
      with_service(ports + R"("ready": [{"tcp": "http"}, {"udp": "c"}, {"http": "a"},
          {"http": "a", "path": "/x", "status": 200, "body": "^x"}, {"log": "x"}, {"exec": ["x"]},
          {"file": "x"}, {"unix": "x"}, {"notify": true}])"),
      with_service(R"("working_directory": "x", "aliases": ["b"], "env": {"_": ""},
          "env_mode": "clean", "depends": {"x": "started"}, "ready": [], "ready_timeout": "5s",
          "stop_signal": "INT", "stop_timeout": "0ms")"),
      with_service(R"("depends": ["x", "y"])"),
      with_service(R"("secret_env": ["A", "_b"], "user": "a@b", "log_limit": "512KiB")"),
      with_service(R"("launcher": ["strace", ""])"),
      with_service(R"("restart": "on_failure", "expect_exit": [3, "SIGKILL"], "allow_failure": true)"),
      with_task(R"("launcher": ["strace"], "secret_env": [], "user": "70", "log_limit": "1GiB")"),
      with_task(R"("ready": [{"exit": 3}], "depends": {"user": "ready"}, "ports": {"x": 1})"),
  };
}

/// Specs with a fault of form, which both must refuse.
std::vector<std::string> malformed_specs() {
  return {
      R"([])",
      R"({"environment": "a"})",
      R"({"version": 1})",
      R"({"version": 2, "environment": "a"})",
      R"({"version": 1, "environment": "A"})",
      R"({"version": 1, "environment": "a", "name": "b"})",
      R"({"version": 1, "environment": "a", "lines": 5})",
      R"({"version": 1, "environment": "a", "env": {"A": 5}})",
      R"({"version": 1, "environment": "a", "services": []})",
      R"({"version": 1, "environment": "a", "services": {"user": {}}})",
      R"({"version": 1, "environment": "a", "services": {"self": {"command": ["x"]}}})",
      R"({"version": 1, "environment": "a", "services": {"12": {"command": ["x"]}}})",
      R"({"version": 1, "environment": "a", "tasks": {"a_b": {"command": ["x"]}}})",
      R"({"version": 1, "environment": "a", "tasks": {"a": {"command": []}}})",
      with_service(R"("prots": {})"),
      with_service(R"("aliases": ["localhost"])"),
      with_service(R"("ports": {"http": 0})"),
      with_service(R"("ports": {"http": 65536})"),
      with_service(R"("ports": {"http": "80/sctp"})"),
      with_service(R"("ports": {"HTTP": 80})"),
      with_service(R"("ports": ["http"])"),
      with_service(R"("env": {"A-B": "x"})"),
      with_service(R"("env_mode": "none")"),
      with_service(R"("depends": {"x": "soon"})"),
      with_service(R"("depends": ["x", "x"])"),
      with_service(R"("depends": "x")"),
      with_service(R"("ready": {"log": "x"})"),
      with_service(R"("ready": [{}])"),
      with_service(R"("ready": [{"log": "x", "file": "y"}])"),
      with_service(R"("ports": {"a": 1}, "ready": [{"tcp": "a", "path": "/"}])"),
      with_service(R"("ports": {"a": 1}, "ready": [{"http": "a", "path": "x"}])"),
      with_service(R"("ports": {"a": 1}, "ready": [{"http": "a", "status": 600}])"),
      with_service(R"("ready": [{"notify": false}])"),
      with_service(R"("ready_timeout": 30)"),
      with_service(R"("ready_timeout": "30")"),
      with_service(R"("stop_timeout": "1h")"),
      with_service(R"("stop_signal": 15)"),
      with_service(R"("ports": {"a": 1}, "publish": {"a": 0})"),
      with_service(R"("ports": {"a": 1}, "publish": {"a": 65536})"),
      with_service(R"("ports": {"a": 1}, "localhost": {"a": "auto"})"),
      with_service(R"("working_directory": "")"),
      with_service(R"("launcher": [])"),
      with_service(R"("launcher": "strace")"),
      with_service(R"("secret_env": "A")"),
      with_service(R"("secret_env": ["A", "A"])"),
      with_service(R"("secret_env": ["A-B"])"),
      with_service(R"("user": 70)"),
      with_service(R"("user": "")"),
      with_service(R"("user": "a b")"),
      with_service(R"("user": "-u")"),
      with_service(R"("log_limit": 64)"),
      with_service(R"("restart": "always")"),
      with_service(R"("expect_exit": 3)"),
      with_service(R"("expect_exit": [256])"),
      with_service(R"("expect_exit": [3, 3])"),
      with_service(R"("expect_exit": [true])"),
      with_service(R"("allow_failure": "yes")"),
      with_task(R"("restart": "never")"),
      with_task(R"("expect_exit": [3])"),
      with_task(R"("allow_failure": true)"),
      with_service(R"("log_limit": "64")"),
      with_service(R"("log_limit": "64MB")"),
      with_task(R"("publish": [])"),
      with_task(R"("localhost": [])"),
      with_task(R"("aliases": [])"),
      with_task(R"("ready": [{"exit": 256}])"),
  };
}

TEST(SchemaTest, TakesWhatTheParserTakes) {
  for (const std::string& text : good_specs()) {
    EXPECT_EQ(faults_of(text), "") << text;
    EXPECT_EQ(schema_violation(schema(), json::parse(text)), "") << text;
  }
}

TEST(SchemaTest, RefusesFaultsOfFormAsTheParserDoes) {
  for (const std::string& text : malformed_specs()) {
    EXPECT_NE(faults_of(text), "") << text;
    EXPECT_NE(schema_violation(schema(), json::parse(text)), "") << text;
  }
}

}  // namespace
}  // namespace isoenv
