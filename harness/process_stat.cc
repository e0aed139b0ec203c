#include "harness/process_stat.h"

#include <charconv>

namespace isoenv {
namespace {

/// Takes the fields after the name one by one.
class Fields {
 public:
  explicit Fields(std::string_view text) : rest_(text) {}

  std::string_view next() {
    const std::size_t first = rest_.find_first_not_of(kBlanks);
    rest_.remove_prefix(first == std::string_view::npos ? rest_.size() : first);
    const std::string_view field = rest_.substr(0, rest_.find_first_of(kBlanks));
    rest_.remove_prefix(field.size());
    return field;
  }

  /// False when the next field is not a whole number that fits.
  template <typename Number>
  bool number(Number& value) {
    const std::string_view field = next();
    const char* const end = field.data() + field.size();
    const auto [parsed_to, error] = std::from_chars(field.data(), end, value);
    return error == std::errc() && parsed_to == end;
  }

 private:
  static constexpr std::string_view kBlanks = " \n";
  std::string_view rest_;
};

}  // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
  // A name may contain blanks and parentheses, so it ends at the last one.
  const std::size_t open = text.find('(');
  const std::size_t close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return std::nullopt;
  }
  ProcessStat stat;
  stat.name = text.substr(open + 1, close - open - 1);
  Fields fields(text.substr(close + 1));
  const std::string_view state = fields.next();
  if (state.size() != 1) return std::nullopt;
  stat.state = state.front();
  int group = 0;
  if (!fields.number(stat.parent) || !fields.number(group) || !fields.number(stat.session) ||
      !fields.number(stat.terminal)) {
    return std::nullopt;
  }
  for (int field = 8; field < 22; ++field) fields.next();
  if (!fields.number(stat.start_time)) return std::nullopt;
  return stat;
}

}  // namespace isoenv
