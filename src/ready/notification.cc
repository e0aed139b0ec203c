#include "ready/notification.h"

namespace isoenv {
namespace {

constexpr std::size_t kMaxStatus = 256;

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80; }

/// Cut between two characters of UTF-8.
std::string printable(std::string_view text) {
  std::size_t end = text.size();
  if (end > kMaxStatus) {
    for (end = kMaxStatus; end > kMaxStatus - 4 && is_continuation(text[end]);) --end;
  }
  std::string result(text.substr(0, end));
  for (char& c : result) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return result;
}

}  // namespace

Notification parse_notification(std::string_view message) {
  constexpr std::string_view kStatus = "STATUS=";
  Notification notification;
  while (!message.empty()) {
    const std::size_t newline = message.find('\n');
    const std::string_view assignment = message.substr(0, newline);
    if (assignment == "READY=1") notification.ready = true;
    if (assignment.starts_with(kStatus)) {
      notification.status = printable(assignment.substr(kStatus.size()));
    }
    if (newline == std::string_view::npos) break;
    message.remove_prefix(newline + 1);
  }
  return notification;
}

}  // namespace isoenv
