// One fault of a spec: where it stands, what is wrong, what to do.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace isoenv {

struct Diagnostic {
  /// Path inside the spec: `services.user.ports.http`; `line 3, column 5`; "" = the file.
  std::string where;
  std::string what;  ///< the fault, lower case, without a final full stop
  std::string hint;  ///< what to try; may be empty

  bool operator==(const Diagnostic&) const = default;
};

/// One line a fault, no newline after the last:
/// `shop.json: services.user.prots: unknown key; did you mean 'ports'?`
std::string render(const std::string& file, const std::vector<Diagnostic>& diagnostics);

/// The text in single quotes, fit for one line on a terminal: control characters escaped, cut after
/// 100 bytes.
std::string in_quotes(std::string_view text);

/// `did you mean 'ports'?`, or `expected one of a, b, c` when no candidate is near; "" without any.
std::string suggest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace isoenv
