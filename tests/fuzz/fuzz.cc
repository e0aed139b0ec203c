#include "fuzz.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace isoenv::fuzz {

void require(bool holds, std::string_view sentence) {
  if (holds) return;
  std::fprintf(stderr, "not true: %.*s\n", static_cast<int>(sentence.size()), sentence.data());
  std::abort();
}

std::string_view take_part(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return part;
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t length = byte < 0x80             ? 1
                               : (byte & 0xE0U) == 0xC0 ? 2
                               : (byte & 0xF0U) == 0xE0 ? 3
                               : (byte & 0xF8U) == 0xF0 ? 4
                                                        : 0;
    if (length == 0 || text.size() - i < length) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0U) != 0x80) return false;
    }
    i += length;
  }
  return true;
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char letter) {
    return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f;
  });
}

}  // namespace isoenv::fuzz
