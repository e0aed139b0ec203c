// Text of unknown origin made fit for a terminal: it can be read, and can do nothing.
//
// A terminal obeys control characters: they move the cursor, rename the window, report what was
// typed. What a program wrote is shown to people only through here.
#pragma once

#include <string>
#include <string_view>

namespace isoenv {

enum class Colours {
  kKeep,  ///< sequences that set colours and styles (SGR, ECMA-48 8.3.117) stay, and are reset
  kDrop,  ///< they are left out
};

/// One line as it may be shown. Tabs stay, and so does valid UTF-8 but for its control characters
/// and changes of direction; carriage returns at the end are left out; every other byte is written
/// as `\x1b`, every such character as `\u202e`.
std::string printable(std::string_view line, Colours colours);

}  // namespace isoenv
