// One JSON line per event on stdout, flushed at once: whoever captures it sees it when it happens.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace shop {

/// Writes time, service, level and message, then the members of the object `fields`.
void log(std::string_view level, std::string_view message, const nlohmann::ordered_json& fields);

}  // namespace shop
