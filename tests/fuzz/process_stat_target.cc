// A line of /proc/PID/stat.
#include "fuzz.h"
#include "harness/process_stat.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace isoenv;
  using namespace isoenv::fuzz;
  const std::string_view text = text_of(data, size);
  const auto stat = parse_process_stat(text);
  if (!stat) return 0;
  require(text.find("(" + stat->name + ")") != std::string_view::npos, "the name stands in it");
  std::string line = "1 (" + stat->name + ") " + stat->state;
  for (const int field : {stat->parent, 0, stat->session, stat->terminal}) {
    line += " " + std::to_string(field);
  }
  for (int field = 8; field < 22; ++field) line += " 0";
  require(parse_process_stat(line + " " + std::to_string(stat->start_time) + "\n") == stat,
          "what was read can be written and read again");
  return 0;
}
