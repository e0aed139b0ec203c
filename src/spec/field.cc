#include "spec/field.h"

#include <algorithm>
#include <boost/regex.hpp>
#include <csignal>

#include "base/exit_status.h"
#include "base/text.h"
#include "spec/limits.h"

namespace isoenv {
namespace {

using Kind = JsonNode::Kind;

constexpr std::size_t kLongestName = 63;  // of a DNS label, RFC 1035
constexpr std::int64_t kHighestPort = 65535;
constexpr std::chrono::milliseconds kLongestDuration = std::chrono::hours(24);
constexpr std::uint64_t kSmallestSize = std::uint64_t{256} << 10;
constexpr std::uint64_t kLargestSize = std::uint64_t{1024} << 30;
constexpr std::uint64_t kNoUid = 0xffffffff;  // (uid_t)-1 means "leave as it is", setresuid(2)
constexpr std::size_t kLongestAccount = 255;  // LOGIN_NAME_MAX without its NUL, limits.h(0p)

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }
bool is_lower(char letter) { return letter >= 'a' && letter <= 'z'; }
bool is_upper(char letter) { return letter >= 'A' && letter <= 'Z'; }

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

/// inet_aton(3) takes `10` and `0x7f` for addresses, so that a hosts file is never asked for them.
bool reads_as_address(std::string_view name) {
  if (all_digits(name)) return true;
  if (!name.starts_with("0x")) return false;
  return std::all_of(name.begin() + 2, name.end(), [](char letter) {
    return is_digit(letter) || (letter >= 'a' && letter <= 'f');
  });
}

bool is_environment_key(std::string_view key) {
  if (key.empty() || is_digit(key.front())) return false;
  return std::all_of(key.begin(), key.end(), [](char letter) {
    return is_lower(letter) || is_upper(letter) || is_digit(letter) || letter == '_';
  });
}

void check_variable_name(const std::string& name, const std::string& where, Faults& faults) {
  if (is_environment_key(name)) return;
  faults.push_back({where, in_quotes(name) + " is not the name of an environment variable",
                    "use letters, digits and '_', no digit first"});
}

/// What a number can be followed by, and what that multiplies it by.
struct Units {
  std::string what;  ///< an example
  std::vector<std::pair<std::string, std::int64_t>> factors;
  std::size_t usual;  ///< so many of them are proposed to those who forget them
};

std::string propose_units(const std::string& number, const Units& units) {
  std::vector<std::string> proposals;
  for (std::size_t i = 0; i < units.usual; ++i) {
    proposals.push_back('"' + number + units.factors[i].first + '"');
  }
  return "say the unit: " + join(proposals, " or ");
}

std::string scalar_hint(const JsonNode& node) {
  if (node.kind == Kind::kInteger) return "write \"" + std::to_string(node.integer) + "\"";
  if (node.kind == Kind::kReal) return "write \"" + node.text + "\"";
  if (node.kind == Kind::kBoolean) return node.boolean ? "write \"true\"" : "write \"false\"";
  return {};
}

std::vector<std::string> signal_words() {
  std::vector<std::string> words;
  for (int signal = 1; signal < SIGSYS + 1; ++signal) words.push_back(signal_name(signal));
  return words;
}

std::string upper(std::string text) {
  for (char& letter : text) {
    if (is_lower(letter)) letter = static_cast<char>(letter - 'a' + 'A');
  }
  return text;
}

/// `64MiB` in what it is a number of; a fault, and none, when it is no such text.
std::optional<std::int64_t> read_quantity(const Field& field, const Units& units, Faults& faults) {
  if (field.node.kind != Kind::kString) {
    const bool counts = field.node.kind == Kind::kInteger && field.node.integer >= 0;
    expected(field, units.what, faults,
             counts ? propose_units(std::to_string(field.node.integer), units) : "");
    return std::nullopt;
  }
  const std::string& text = field.node.text;
  const auto digits =
      static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
  const std::string unit = text.substr(digits);
  const auto known = std::find_if(units.factors.begin(), units.factors.end(),
                                  [&](const auto& factor) { return factor.first == unit; });
  if (digits == 0 || known == units.factors.end()) {
    expected(field, units.what, faults,
             unit.empty() && digits != 0 ? propose_units(text, units) : "");
    return std::nullopt;
  }
  const std::int64_t count = digits > 9 ? INT32_MAX : std::stoll(text.substr(0, digits));
  return count * known->second;
}

}  // namespace

void expected(const Field& field, const std::string& what, Faults& faults, std::string hint) {
  faults.push_back(
      {field.where, "expected " + what + ", found " + field.node.describe(), std::move(hint)});
}

bool is_object(const Field& field, Faults& faults) {
  if (field.node.kind == Kind::kObject) return true;
  expected(field, "an object", faults);
  return false;
}

bool is_list(const Field& field, Faults& faults) {
  if (field.node.kind == Kind::kArray) return true;
  expected(field, "a list", faults);
  return false;
}

std::optional<std::string> read_text(const Field& field, Faults& faults, bool allow_empty) {
  if (field.node.kind != Kind::kString) {
    expected(field, "a string", faults, scalar_hint(field.node));
    return std::nullopt;
  }
  if (field.node.text.empty() && !allow_empty) {
    faults.push_back({field.where, "expected a string that is not empty", ""});
    return std::nullopt;
  }
  if (field.node.text.size() > kLongestText) {
    faults.push_back({field.where,
                      "the text has " + std::to_string(field.node.text.size()) + " bytes",
                      "the most is " + std::to_string(kLongestText)});
    return std::nullopt;
  }
  return field.node.text;
}

void check_count(std::size_t count, const std::string& things, const std::string& where,
                 Faults& faults) {
  if (count <= kMostOfOneService) return;
  faults.push_back({where, std::to_string(count) + " " + things + " of one service",
                    "the most is " + std::to_string(kMostOfOneService)});
}

std::vector<std::string> read_texts(const Field& field, Faults& faults, bool allow_empty) {
  std::vector<std::string> texts;
  if (!is_list(field, faults)) return texts;
  for (std::size_t i = 0; i < field.node.elements.size(); ++i) {
    const Field element{field.node.elements[i], index_path(field.where, i)};
    texts.push_back(read_text(element, faults, allow_empty).value_or(""));
  }
  return texts;
}

std::vector<std::string> read_command(const Field& field, Faults& faults) {
  if (field.node.kind == Kind::kString) {
    expected(field, "a list of strings", faults,
             "no shell splits it: write [\"PROGRAM\", \"ARGUMENT\"]");
    return {};
  }
  std::vector<std::string> command = read_texts(field, faults, /*allow_empty=*/true);
  if (field.node.kind != Kind::kArray) return command;
  if (command.empty()) {
    faults.push_back({field.where, "the list is empty", "its first element is the program"});
  } else if (field.node.elements.front().kind == Kind::kString && command.front().empty()) {
    faults.push_back({index_path(field.where, 0), "the program's name is empty", ""});
  }
  return command;
}

std::optional<std::string> read_word(const Field& field, const std::vector<std::string>& words,
                                     Faults& faults) {
  const std::optional<std::string> text = read_text(field, faults);
  if (!text) return std::nullopt;
  if (std::find(words.begin(), words.end(), *text) != words.end()) return text;
  faults.push_back({field.where, "unknown word " + in_quotes(*text), suggest(*text, words)});
  return std::nullopt;
}

std::optional<std::int64_t> read_integer(const Field& field, std::int64_t least, std::int64_t most,
                                         Faults& faults) {
  if (field.node.kind == Kind::kInteger && field.node.integer >= least &&
      field.node.integer <= most) {
    return field.node.integer;
  }
  expected(field, "a whole number from " + std::to_string(least) + " to " + std::to_string(most),
           faults);
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> read_duration(const Field& field, bool allow_zero,
                                                       Faults& faults) {
  static const Units times{"a duration such as \"500ms\", \"30s\" or \"2m\"",
                           {{"s", 1000}, {"ms", 1}, {"m", 60'000}},
                           2};
  const std::optional<std::int64_t> count = read_quantity(field, times, faults);
  if (!count) return std::nullopt;
  const std::chrono::milliseconds duration(*count);
  if (duration > kLongestDuration) {
    faults.push_back({field.where, in_quotes(field.node.text) + " is longer than a day", ""});
    return std::nullopt;
  }
  if (duration.count() == 0 && !allow_zero) {
    faults.push_back(
        {field.where, in_quotes(field.node.text) + " leaves no time", "write at least \"1ms\""});
    return std::nullopt;
  }
  return duration;
}

std::optional<std::uint64_t> read_size(const Field& field, Faults& faults) {
  static const Units sizes{"a size such as \"512KiB\", \"64MiB\" or \"1GiB\"",
                           {{"MiB", std::int64_t{1} << 20},
                            {"KiB", std::int64_t{1} << 10},
                            {"GiB", std::int64_t{1} << 30}},
                           1};
  const std::optional<std::int64_t> count = read_quantity(field, sizes, faults);
  if (!count) return std::nullopt;
  const auto size = static_cast<std::uint64_t>(*count);
  if (size < kSmallestSize || size > kLargestSize) {
    faults.push_back({field.where,
                      in_quotes(field.node.text) + " is " +
                          (size < kSmallestSize ? "less" : "more") + " than such a size can be",
                      "the least is \"256KiB\", the most \"1024GiB\""});
    return std::nullopt;
  }
  return size;
}

std::optional<std::string> read_account(const Field& field, Faults& faults) {
  if (field.node.kind == Kind::kInteger && field.node.integer >= 0) {
    expected(field, "a string", faults,
             "write \"" + std::to_string(field.node.integer) + "\" to mean that uid");
    return std::nullopt;
  }
  const std::optional<std::string> text = read_text(field, faults);
  if (!text) return std::nullopt;
  if (all_digits(*text)) {
    if (text->size() <= 10 && std::stoull(*text) < kNoUid) return text;
    faults.push_back({field.where, in_quotes(*text) + " is not a uid",
                      "the highest is " + std::to_string(kNoUid - 1)});
    return std::nullopt;
  }
  const bool letters = std::all_of(text->begin(), text->end(), [](char letter) {
    return is_lower(letter) || is_upper(letter) || is_digit(letter) ||
           std::string_view("_.@-").find(letter) != std::string_view::npos;
  });
  if (letters && text->front() != '-' && text->front() != '.' && text->size() <= kLongestAccount) {
    return text;
  }
  faults.push_back({field.where, in_quotes(*text) + " is not the name of an account",
                    "write a name such as \"postgres\", or a uid"});
  return std::nullopt;
}

std::optional<int> read_signal(const Field& field, Faults& faults) {
  if (field.node.kind != Kind::kString) {
    expected(field, "a signal's name such as \"SIGTERM\"", faults);
    return std::nullopt;
  }
  if (const int signal = signal_number(field.node.text); signal != 0) return signal;
  const std::string word = upper(field.node.text);
  const std::string full = word.starts_with("SIG") ? word : "SIG" + word;
  std::string hint = suggest(full, signal_words());
  if (hint.empty()) hint = "write a name such as \"SIGTERM\" or \"SIGINT\"";
  faults.push_back({field.where, "unknown signal " + in_quotes(field.node.text), hint});
  return std::nullopt;
}

std::vector<ExitStatus> read_exits(const Field& field, Faults& faults) {
  std::vector<ExitStatus> exits;
  if (!is_list(field, faults)) return exits;
  for (std::size_t i = 0; i < field.node.elements.size(); ++i) {
    const Field element{field.node.elements[i], index_path(field.where, i)};
    ExitStatus status;
    if (element.node.kind == Kind::kInteger) {
      const auto code = read_integer(element, 0, 255, faults);
      if (!code) continue;
      status.code = static_cast<int>(*code);
    } else {
      const auto signal = read_signal(element, faults);
      if (!signal) continue;
      status.signal = *signal;
    }
    if (std::find(exits.begin(), exits.end(), status) != exits.end()) {
      faults.push_back(
          {element.where, element.node.describe() + " stands twice", "remove one of them"});
    }
    exits.push_back(status);
  }
  return exits;
}

std::optional<bool> read_boolean(const Field& field, Faults& faults) {
  if (field.node.kind == Kind::kBoolean) return field.node.boolean;
  expected(field, "true or false", faults);
  return std::nullopt;
}

std::uint16_t port_number(const std::string& digits, const std::string& where, Faults& faults,
                          const std::string& hint) {
  if (!all_digits(digits)) {
    faults.push_back({where, in_quotes(digits) + " is not a port number", hint});
    return 0;
  }
  const int number = digits.size() <= 5 ? std::stoi(digits) : 0;
  if (number >= 1 && number <= kHighestPort) return static_cast<std::uint16_t>(number);
  faults.push_back({where, "port number " + digits + " is not from 1 to 65535", hint});
  return 0;
}

std::optional<std::uint16_t> read_port_number(const Field& field, Faults& faults,
                                              const std::string& hint) {
  std::uint16_t number = 0;
  if (field.node.kind == Kind::kInteger) {
    number = port_number(std::to_string(field.node.integer), field.where, faults, hint);
  } else if (field.node.kind == Kind::kString) {
    number = port_number(field.node.text, field.where, faults, hint);
  } else {
    expected(field, "a port number", faults, hint);
  }
  if (number == 0) return std::nullopt;
  return number;
}

std::optional<std::string> read_regex(const Field& field, Faults& faults) {
  const std::optional<std::string> text = read_text(field, faults);
  if (!text) return std::nullopt;
  try {
    const boost::regex compiled(*text);
    return text;
  } catch (const boost::regex_error& error) {
    std::string reason = error.what();
    if (const std::size_t end = reason.find("  The error occurred"); end != std::string::npos) {
      reason.erase(end);
    }
    while (!reason.empty() && reason.back() == '.') reason.pop_back();
    faults.push_back(
        {field.where, in_quotes(*text) + " is not a regular expression: " + reason, ""});
  } catch (const std::runtime_error&) {
    faults.push_back({field.where, in_quotes(*text) + " is too complex a regular expression", ""});
  }
  return std::nullopt;
}

std::vector<std::string> read_variable_names(const Field& field, Faults& faults) {
  std::vector<std::string> names;
  if (!is_list(field, faults)) return names;
  for (std::size_t i = 0; i < field.node.elements.size(); ++i) {
    const Field element{field.node.elements[i], index_path(field.where, i)};
    const auto name = read_text(element, faults);
    if (!name) continue;
    check_variable_name(*name, element.where, faults);
    if (std::find(names.begin(), names.end(), *name) == names.end()) {
      names.push_back(*name);
    } else {
      faults.push_back({element.where, in_quotes(*name) + " stands twice", "remove one of them"});
    }
  }
  return names;
}

std::vector<std::pair<std::string, std::string>> read_env(const Field& field, Faults& faults) {
  std::vector<std::pair<std::string, std::string>> env;
  if (!is_object(field, faults)) return env;
  for (const JsonMember& member : field.node.members) {
    const std::string where = key_path(field.where, member.name);
    check_variable_name(member.name, where, faults);
    const auto value = read_text({member.value, where}, faults, /*allow_empty=*/true);
    if (value) env.emplace_back(member.name, *value);
  }
  return env;
}

bool check_name(const std::string& name, const std::string& kind, const std::string& where,
                Faults& faults) {
  if (name.size() > kLongestName) {
    faults.push_back(
        {where, "the name of the " + kind + " has " + std::to_string(name.size()) + " characters",
         "use at most 63"});
    return false;
  }
  const bool letters = std::all_of(name.begin(), name.end(), [](char letter) {
    return is_lower(letter) || is_digit(letter) || letter == '-';
  });
  if (letters && !name.empty() && name.front() != '-' && name.back() != '-') return true;
  faults.push_back({where,
                    in_quotes(name) + " is not a name for " +
                        (kind == "environment" || kind == "alias" ? "an " : "a ") + kind,
                    "use lower-case letters, digits and inner '-'"});
  return false;
}

bool check_host_name(const std::string& name, const std::string& kind, const std::string& where,
                     Faults& faults) {
  static const std::vector<std::string> reserved = {"self", "line", "localhost", "ip6-localhost",
                                                    "ip6-loopback"};
  if (!check_name(name, kind, where, faults)) return false;
  if (std::find(reserved.begin(), reserved.end(), name) != reserved.end()) {
    faults.push_back(
        {where, "the name " + in_quotes(name) + " is reserved", "choose another name"});
    return false;
  }
  if (reads_as_address(name)) {
    faults.push_back(
        {where, "the name " + in_quotes(name) + " reads as an IP address", "put a letter first"});
    return false;
  }
  return true;
}

}  // namespace isoenv
