// The facts without which a time means nothing: what it was measured on.
#pragma once

#include <string>

namespace isoenv::bench {

struct Machine {
  std::string kernel;
  std::string cpu;
  long cores = 0;
  double load = 0;  ///< one-minute average before the first measurement
  bool root = false;
};

Machine read_machine();

}  // namespace isoenv::bench
