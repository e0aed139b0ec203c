#include "source/instance.h"

#include <sys/stat.h>

#include "isoenv/error.h"

namespace isoenv::inline client {
namespace {

/// The version of the description that this library reads.
constexpr int kVersion = 1;

std::string title_of(const std::string& environment, const std::string& spec_file) {
  return "the instance of '" + environment + "' from '" + spec_file + "'";
}

ServiceFacts parse_service(const Json& json) {
  ServiceFacts service;
  service.name = json.at("service");
  service.is_task = json.at("kind") == "task";
  service.host = json.at("host");
  service.address = json.at("ipv4");
  service.log = json.at("log").get<std::string>();
  for (const Json& port : json.at("ports")) {
    service.ports.push_back({port.at("name"), port.at("number"), port.value("url", "")});
  }
  return service;
}

Instance read(const Json& json) {
  const std::filesystem::path run_directory = json.at("run_directory").get<std::string>();
  const std::string spec_file = json.at("spec_file");
  Instance instance{{run_directory / "control", title_of(json.at("environment"), spec_file)},
                    json.at("environment"),
                    json.at("instance"),
                    json.at("rung"),
                    spec_file,
                    json.at("artefacts").get<std::string>(),
                    json.at("temporary_directory").get<std::string>(),
                    {},
                    {}};
  for (const auto& [name, value] : json.at("variables").items()) {
    instance.variables.emplace_back(name, value.get<std::string>());
  }
  for (const Json& service : json.at("services")) {
    instance.services.push_back(parse_service(service));
  }
  return instance;
}

}  // namespace

Instance parse_instance(const Json& description) {
  try {
    const int version = description.at("version");
    if (version != kVersion) {
      throw EnvironmentError(
          "the instance was started by isoenv " +
              description.value("isoenv", "of another version") +
              ", and this test is linked with the client library of " ISOENV_VERSION
              ": they do not understand each other",
          "build the test with the IsoEnv that starts the instance");
    }
    return read(description);
  } catch (const Json::exception& error) {
    throw EnvironmentError(std::string("the description of the instance makes no sense: ") +
                           error.what());
  }
}

Instance ask_instance(const std::filesystem::path& run_directory) {
  const Connection connection(run_directory / "control",
                              "the instance in '" + run_directory.string() + "'");
  return parse_instance(
      connection.ask_for_report({{"request", "describe"}, {"services", Json::array()}}));
}

bool is_inside(const Instance& instance) {
  if (!instance.has_namespaces()) return true;
  const pid_t keeper = instance.connection.keeper_pid();
  if (keeper == 0)
    return true;  // it is in a PID namespace above: that of the instance, or none of ours
  struct stat own {};
  struct stat there {};
  const std::string link = "/proc/" + std::to_string(keeper) + "/ns/net";
  return ::stat("/proc/self/ns/net", &own) == 0 && ::stat(link.c_str(), &there) == 0 &&
         own.st_dev == there.st_dev && own.st_ino == there.st_ino;
}

}  // namespace isoenv::inline client
