// What the fuzz targets share: how one says that an invariant does not hold.
//
// A target defines LLVMFuzzerTestOneInput and throws nothing. libFuzzer drives it with inputs of its
// own making; replay.cc with the kept ones, as an ordinary test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace isoenv::fuzz {

/// Ends the program, with the sentence that is not true.
void require(bool holds, std::string_view sentence);

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Takes what stands before the first `separator` off `rest`: all of it when there is none.
std::string_view take_part(std::string_view& rest, char separator);

bool is_utf8(std::string_view text);
/// Fit for one line of a terminal.
bool has_control_character(std::string_view text);

}  // namespace isoenv::fuzz
