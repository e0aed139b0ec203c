// One message of sd_notify(3): pure, whatever bytes it holds.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace isoenv {

struct Notification {
  bool ready = false;  ///< the message said READY=1
  std::optional<std::string>
      status;  ///< its STATUS=, at most 256 bytes, without control characters
};

/// Reads the newline-separated assignments of one message.
Notification parse_notification(std::string_view message);

}  // namespace isoenv
