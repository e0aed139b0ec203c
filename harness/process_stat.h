// One line of /proc/PID/stat, proc_pid_stat(5), as far as owners need it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace isoenv {

struct ProcessStat {
  std::string name;
  char state = '?';
  pid_t parent = 0;
  pid_t session = 0;
  int terminal = 0;
  std::uint64_t start_time = 0;  ///< clock ticks since boot

  bool operator==(const ProcessStat&) const = default;
};

/// None when the text is no such line. The name may hold anything: blanks, parentheses, newlines.
std::optional<ProcessStat> parse_process_stat(std::string_view text);

}  // namespace isoenv
