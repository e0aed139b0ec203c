// What this library knows of one instance, shared by the handles on it. Does not change.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "source/connection.h"

namespace isoenv::inline client {

struct PortFacts {
  std::string name;
  std::uint16_t number = 0;
  std::string url;  ///< "" for UDP
};

struct ServiceFacts {
  std::string name;
  bool is_task = false;
  std::string host;
  std::string address;
  std::vector<PortFacts> ports;
  std::filesystem::path log;
};

struct Instance {
  Connection connection;
  std::string environment;
  std::string id;
  std::string rung;
  std::filesystem::path spec_file;
  std::filesystem::path artefacts;
  std::filesystem::path temporary_directory;
  std::vector<std::pair<std::string, std::string>> variables;
  std::vector<ServiceFacts> services;

  bool has_namespaces() const { return rung != "ports"; }
};

/// Reads the description that `isoenv env --json` prints. Throws EnvironmentError when it is of a
/// version that this library does not know.
Instance parse_instance(const Json& description);

/// The instance with this run directory asked itself.
Instance ask_instance(const std::filesystem::path& run_directory);

/// True when the calling process is in the instance's network, or there is none to be in.
bool is_inside(const Instance& instance);

}  // namespace isoenv::inline client
