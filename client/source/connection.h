// The way to the keeper of one instance: one JSON object there, one back, over its control socket.
//
// A Connection holds none between two questions, so it may be used by many threads and outlives the
// instance. Throws EnvironmentError.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "source/descriptor.h"

namespace isoenv::inline client {

using Json = nlohmann::ordered_json;

/// One connection. Not for two threads at once.
class Channel {
 public:
  Channel(Descriptor socket, std::string title);

  /// Asks and waits for the answer; a refusal becomes the exception.
  Json ask(const Json& request);
  /// Asks for a report, which the answer carries as text.
  Json ask_for_report(const Json& request);

 private:
  Descriptor socket_;
  std::string title_;
};

class Connection {
 public:
  /// `title` names the instance in messages.
  Connection(std::filesystem::path socket, std::string title);

  /// As Channel does, each time over a connection of its own.
  Json ask(const Json& request) const { return open().ask(request); }
  Json ask_for_report(const Json& request) const { return open().ask_for_report(request); }
  /// For what lasts as long as its connection.
  Channel open() const;
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
