// What a command needs of the host outside every namespace: its run directory, descriptors,
// loopback.
//
// Each thing is tried and undone at once.
#pragma once

#include <vector>

#include "env/trial.h"

namespace isoenv {

std::vector<Finding> check_host();

}  // namespace isoenv
