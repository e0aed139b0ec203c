// Values of the spec's JSON, one at a time: from a node to a checked C++ value.
//
// Every function either returns the value or adds a fault that names the place, what was expected
// and what was found. None of them throws or knows which key it reads.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/exit_status.h"
#include "spec/diagnostic.h"
#include "spec/json_tree.h"

namespace isoenv {

/// A value and the path it stands at.
struct Field {
  const JsonNode& node;
  std::string where;
};

using Faults = std::vector<Diagnostic>;

/// Adds `expected <what>, found <node>`.
void expected(const Field& field, const std::string& what, Faults& faults, std::string hint = {});

/// False, with a fault, when the node is something else.
bool is_object(const Field& field, Faults& faults);
bool is_list(const Field& field, Faults& faults);

/// A fault when one service has more of these `things` than it may.
void check_count(std::size_t count, const std::string& things, const std::string& where,
                 Faults& faults);

/// A text of at most kLongestText bytes; `allow_empty` or at least one character.
std::optional<std::string> read_text(const Field& field, Faults& faults, bool allow_empty = false);
/// A list of texts; elements that are not become empty, so that indices stay as written.
std::vector<std::string> read_texts(const Field& field, Faults& faults, bool allow_empty);
/// A program and its arguments: a list with at least the program.
std::vector<std::string> read_command(const Field& field, Faults& faults);
/// One of `words`.
std::optional<std::string> read_word(const Field& field, const std::vector<std::string>& words,
                                     Faults& faults);
std::optional<std::int64_t> read_integer(const Field& field, std::int64_t least, std::int64_t most,
                                         Faults& faults);
/// `500ms`, `30s`, `2m`; at most 24 hours.
std::optional<std::chrono::milliseconds> read_duration(const Field& field, bool allow_zero,
                                                       Faults& faults);
/// `256KiB`, `64MiB`, `1GiB`: bytes, from 256 KiB to 1024 GiB.
std::optional<std::uint64_t> read_size(const Field& field, Faults& faults);
/// The name of an account, or a uid in digits.
std::optional<std::string> read_account(const Field& field, Faults& faults);
/// Names of environment variables, none twice.
std::vector<std::string> read_variable_names(const Field& field, Faults& faults);
/// `SIGTERM`, `TERM`, `15`.
std::optional<int> read_signal(const Field& field, Faults& faults);
/// Exit codes from 0 to 255 and names of signals, none twice: how a process may end.
std::vector<ExitStatus> read_exits(const Field& field, Faults& faults);
std::optional<bool> read_boolean(const Field& field, Faults& faults);
/// A port's number, 1 to 65535, from 3000 or "3000"; a fault carries `hint`.
std::optional<std::uint16_t> read_port_number(const Field& field, Faults& faults,
                                              const std::string& hint = {});
/// A regular expression as Boost.Regex takes it (Perl's).
std::optional<std::string> read_regex(const Field& field, Faults& faults);
/// {"KEY": "value"}, in the order written.
std::vector<std::pair<std::string, std::string>> read_env(const Field& field, Faults& faults);

/// The number of a port written as decimal digits; 0 and a fault when it is none.
std::uint16_t port_number(const std::string& digits, const std::string& where, Faults& faults,
                          const std::string& hint = {});

/// Checks the form of a name: lower-case letters, digits, inner hyphens, at most 63. `kind` is for
/// the message: `service`, `port`.
bool check_name(const std::string& name, const std::string& kind, const std::string& where,
                Faults& faults);
/// A name that is also a host name: in addition not reserved, and nothing that reads as an address.
bool check_host_name(const std::string& name, const std::string& kind, const std::string& where,
                     Faults& faults);

}  // namespace isoenv
