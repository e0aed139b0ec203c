#include "base/printable.h"

#include <array>
#include <cstdint>
#include <cstdio>

namespace isoenv {
namespace {

struct Character {
  std::uint32_t code = 0;
  std::size_t length = 0;  // 0: not UTF-8 (RFC 3629)
};

Character decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return {};
  std::uint32_t code = first & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < kLeast[length] || code > 0x10ffff || surrogate) return {};
  return {code, length};
}

/// Obeyed rather than shown: C1, line and paragraph separators, changes of direction (UAX #9).
bool is_command(std::uint32_t code) {
  return (code >= 0x80 && code <= 0x9f) || code == 0x200e || code == 0x200f ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/// The length of a sequence that sets colours or styles at the beginning of `text`; 0: none.
std::size_t style_length(std::string_view text) {
  if (!text.starts_with("\x1b[")) return 0;
  const std::size_t end = text.find_first_not_of("0123456789;:", 2);
  return end != std::string_view::npos && text[end] == 'm' ? end + 1 : 0;
}

void escape(std::string& shown, const char* format, std::uint32_t code) {
  char text[16];
  std::snprintf(text, sizeof text, format, code);
  shown += text;
}

}  // namespace

std::string printable(std::string_view line, Colours colours) {
  while (line.ends_with('\r')) line.remove_suffix(1);
  std::string shown;
  shown.reserve(line.size());
  bool styled = false;
  while (!line.empty()) {
    if (const std::size_t style = style_length(line); style != 0) {
      if (colours == Colours::kKeep) shown += line.substr(0, style);
      styled = colours == Colours::kKeep;
      line.remove_prefix(style);
      continue;
    }
    const Character character = decode(line);
    if (character.length == 0) {
      escape(shown, "\\x%02x", static_cast<unsigned char>(line.front()));
    } else if ((character.code < 0x20 && character.code != '\t') || character.code == 0x7f) {
      escape(shown, "\\x%02x", character.code);
    } else if (is_command(character.code)) {
      escape(shown, "\\u%04x", character.code);
    } else {
      shown += line.substr(0, character.length);
    }
    line.remove_prefix(character.length == 0 ? 1 : character.length);
  }
  if (styled) shown += "\x1b[0m";
  return shown;
}

}  // namespace isoenv
