// One fault of a spec: where it stands, what is wrong, what to do.
#pragma once

#include <string>
#include <vector>

namespace isoenv {

struct Diagnostic {
  std::string where;  ///< path inside the spec: `services.user.ports.http`; `line 3, column 5`; "" = the file
  std::string what;   ///< the fault, lower case, without a final full stop
  std::string hint;   ///< what to try; may be empty

  bool operator==(const Diagnostic&) const = default;
};

/// One line a fault: `shop.json: services.user.prots: unknown key; did you mean 'ports'?`
std::string render(const std::string& file, const std::vector<Diagnostic>& diagnostics);

}  // namespace isoenv
