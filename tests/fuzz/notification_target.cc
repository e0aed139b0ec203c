// A datagram of sd_notify(3).
#include "fuzz.h"
#include "ready/notification.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace isoenv;
  using namespace isoenv::fuzz;
  const std::string_view message = text_of(data, size);
  const Notification said = parse_notification(message);
  if (said.ready) {
    require(("\n" + std::string(message) + "\n").find("\nREADY=1\n") != std::string::npos,
            "ready is said in so many words");
  }
  if (said.status) {
    require(message.find("STATUS=") != std::string_view::npos, "a status was sent");
    require(said.status->size() <= 256, "a status is short");
    require(!has_control_character(*said.status), "a status is one line of text");
    if (is_utf8(message)) require(is_utf8(*said.status), "a status is cut between characters");
  }
  const std::string twice = std::string(message) + "\n" + std::string(message);
  const Notification again = parse_notification(twice);
  require(again.ready == said.ready && again.status == said.status,
          "a message said twice says the same");
  return 0;
}
