// The way to the keeper of one instance: one JSON object there, one back, over its control socket.
//
// Holds no connection between two questions, so it may be used by many threads and outlives the
// instance. Throws EnvironmentError.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace isoenv::inline client {

using Json = nlohmann::ordered_json;

class Connection {
 public:
  /// `title` names the instance in messages.
  Connection(std::filesystem::path socket, std::string title);

  /// Asks and waits for the answer; a refusal becomes the exception.
  Json ask(const Json& request) const;
  /// Asks for a report, which the answer carries as text.
  Json ask_for_report(const Json& request) const;
  /// Takes the instance down, and returns when the keeper has ended.
  void take_down() const;

  /// The keeper, as the caller counts pids; 0 when it has no number there.
  pid_t keeper_pid() const;
  bool is_alive() const noexcept;

 private:
  std::filesystem::path socket_;
  std::string title_;
};

}  // namespace isoenv::inline client
