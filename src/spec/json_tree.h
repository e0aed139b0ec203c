// JSON text as a tree of plain values that keeps the order of keys.
//
// Comments are allowed. Read with nlohmann/json's SAX parser, which this header hides. A key that
// stands twice in one object is a fault, and so is nesting past kDeepestNesting, so that nothing
// that walks the tree can run out of stack. Strings never hold a NUL: nothing the spec describes
// could carry one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/diagnostic.h"

namespace isoenv {

inline constexpr std::size_t kDeepestNesting = 32;

struct JsonMember;

struct JsonNode {
  enum class Kind { kNull, kBoolean, kInteger, kReal, kString, kArray, kObject };

  Kind kind = Kind::kNull;
  bool boolean = false;
  std::int64_t integer = 0;
  std::string text;  ///< a string's value; a real number as written
  std::vector<JsonNode> elements;
  std::vector<JsonMember> members;  ///< in the order written, no name twice

  /// The value of a key of an object; nullptr when it has no such key.
  const JsonNode* find(std::string_view name) const;
  /// For messages: `a list`, `the number 5`, `'text'`.
  std::string describe() const;
};

struct JsonMember {
  std::string name;
  JsonNode value;
};

/// The tree, or nothing when the text is not JSON. Faults are added to `faults`; with a tree they
/// are keys that stand twice (the first is kept) and strings with a NUL (taken as empty).
std::optional<JsonNode> read_json(std::string_view text, std::vector<Diagnostic>& faults);

/// `services.user`, `services.'odd key'`.
std::string key_path(const std::string& where, std::string_view key);
/// `services.user.command[0]`.
std::string index_path(const std::string& where, std::size_t index);

}  // namespace isoenv
