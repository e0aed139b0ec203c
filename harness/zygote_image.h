// The zygote's program, which `isoenv` carries within itself: wherever that is copied, the inits
// are of the same version.
#pragma once

#include <string_view>

namespace isoenv {

/// Its file's contents; "" where it could not be linked statically.
std::string_view zygote_image();

}  // namespace isoenv
