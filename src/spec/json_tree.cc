#include "spec/json_tree.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <nlohmann/json.hpp>
#include <unordered_set>

namespace isoenv {
namespace {

using Json = nlohmann::ordered_json;

/// Walks the text and tells how far the parser has read; its copies share one count.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, std::size_t& count) : at_(at), count_(&count) {}

  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*count_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }

 private:
  const char* at_;
  std::size_t* count_;
};

/// The parser's sentence without its library's prefix and the text it quotes at length.
Diagnostic syntax_fault(std::string message) {
  Diagnostic fault;
  if (const std::size_t end = message.find("] "); end != std::string::npos) {
    message.erase(0, end + 2);
  }
  constexpr std::string_view kAt = "parse error at ";
  if (message.starts_with(kAt)) {
    const std::size_t colon = message.find(": ");
    fault.where = message.substr(kAt.size(), colon - kAt.size());
    message.erase(0, colon + 2);
  }
  if (const std::size_t quote = message.find("; last read: "); quote != std::string::npos) {
    const std::size_t rest = message.find("'; expected", quote);
    message.erase(quote, rest == std::string::npos ? rest : rest + 1 - quote);
  }
  fault.what = "this is not JSON: " + message;
  if (message.find("object key - unexpected '}'") != std::string::npos ||
      message.find("value - unexpected ']'") != std::string::npos) {
    fault.hint = "remove the comma before the closing bracket";
  }
  return fault;
}

/// Builds the tree from the parser's events. Only the innermost open container is ever extended, so
/// pointers to the open ones stay valid.
class TreeBuilder {
 public:
  TreeBuilder(std::string_view text, const std::size_t& count, std::vector<Diagnostic>& faults)
      : text_(text), count_(count), faults_(faults) {}

  JsonNode take() { return std::move(root_); }

  bool null() {
    place();
    return true;
  }
  bool boolean(bool value) {
    JsonNode& node = place();
    node.kind = JsonNode::Kind::kBoolean;
    node.boolean = value;
    return true;
  }
  bool number_integer(Json::number_integer_t value) {
    JsonNode& node = place();
    node.kind = JsonNode::Kind::kInteger;
    node.integer = value;
    return true;
  }
  bool number_unsigned(Json::number_unsigned_t value) {
    if (value > static_cast<Json::number_unsigned_t>(INT64_MAX)) {
      JsonNode& node = place();
      node.kind = JsonNode::Kind::kReal;
      node.text = std::to_string(value);
      return true;
    }
    return number_integer(static_cast<Json::number_integer_t>(value));
  }
  bool number_float(Json::number_float_t, const std::string& written) {
    JsonNode& node = place();
    node.kind = JsonNode::Kind::kReal;
    node.text = written;
    return true;
  }
  bool string(std::string& value) {
    const std::string where = value.find('\0') == std::string::npos ? "" : next_path();
    JsonNode& node = place();
    node.kind = JsonNode::Kind::kString;
    if (where.empty()) {
      node.text = std::move(value);
    } else {
      faults_.push_back({where, "the text holds a NUL character", "remove the \\u0000"});
    }
    return true;
  }
  bool binary(Json::binary_t&) { return false; }

  bool start_object(std::size_t) { return open(JsonNode::Kind::kObject); }
  bool start_array(std::size_t) { return open(JsonNode::Kind::kArray); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(std::string& name) {
    Frame& frame = frames_.back();
    frame.key = name;
    frame.repeated = !frame.seen.insert(name).second;
    if (frame.repeated) {
      const auto line = 1 + std::count(text_.begin(), text_.begin() + offset(), '\n');
      faults_.push_back({next_path(), "the key stands twice, again in line " + std::to_string(line),
                         "remove or rename one of them"});
    }
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const Json::exception& error) {
    faults_.push_back(syntax_fault(error.what()));
    return false;
  }

 private:
  struct Frame {
    JsonNode* node = nullptr;
    std::string key;  ///< of the member being read
    bool repeated = false;
    std::unordered_set<std::string> seen;
  };

  /// The new value's place: the root, an element, a member, or nowhere for a repeated key.
  JsonNode& place() {
    if (frames_.empty()) return root_;
    Frame& frame = frames_.back();
    if (frame.node->kind == JsonNode::Kind::kArray) return frame.node->elements.emplace_back();
    if (frame.repeated) return discarded_.emplace_back();
    frame.node->members.push_back({frame.key, {}});
    return frame.node->members.back().value;
  }

  bool open(JsonNode::Kind kind) {
    if (frames_.size() == kDeepestNesting) {
      faults_.push_back({next_path(),
                         "nested deeper than " + std::to_string(kDeepestNesting) + " levels",
                         "no part of a spec needs that"});
      return false;
    }
    JsonNode& node = place();
    node.kind = kind;
    Frame& frame = frames_.emplace_back();
    frame.node = &node;
    return true;
  }

  bool close() {
    frames_.pop_back();
    return true;
  }

  /// The path of the value about to be placed.
  std::string next_path() const {
    std::string path;
    for (std::size_t i = 0; i < frames_.size(); ++i) {
      const Frame& frame = frames_[i];
      if (frame.node->kind == JsonNode::Kind::kObject) {
        path = key_path(path, frame.key);
      } else {
        const std::size_t size = frame.node->elements.size();
        path = index_path(path, i + 1 == frames_.size() ? size : size - 1);
      }
    }
    return path;
  }

  std::ptrdiff_t offset() const {
    return static_cast<std::ptrdiff_t>(std::min(count_, text_.size()));
  }

  std::string_view text_;
  const std::size_t& count_;
  std::vector<Diagnostic>& faults_;
  JsonNode root_;
  std::deque<JsonNode> discarded_;
  std::vector<Frame> frames_;
};

bool is_plain(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '_' || letter == '-' || letter == '$';
  });
}

}  // namespace

const JsonNode* JsonNode::find(std::string_view name) const {
  for (const JsonMember& member : members) {
    if (member.name == name) return &member.value;
  }
  return nullptr;
}

std::string JsonNode::describe() const {
  switch (kind) {
    case Kind::kNull:
      return "null";
    case Kind::kBoolean:
      return boolean ? "true" : "false";
    case Kind::kInteger:
      return "the number " + std::to_string(integer);
    case Kind::kReal:
      return "the number " + text;
    case Kind::kString:
      return in_quotes(text);
    case Kind::kArray:
      return "a list";
    case Kind::kObject:
      return "an object";
  }
  return {};
}

std::optional<JsonNode> read_json(std::string_view text, std::vector<Diagnostic>& faults) {
  constexpr std::string_view kSpace = " \t\r\n";
  if (text.find_first_not_of(kSpace) == std::string_view::npos) {
    faults.push_back(
        {"", "the file is empty",
         "the least is {\"version\": 1, \"environment\": \"NAME\", \"services\": {}}"});
    return std::nullopt;
  }
  std::size_t count = 0;
  TreeBuilder builder(text, count, faults);
  const bool whole = Json::sax_parse(CountingIterator(text.data(), count),
                                     CountingIterator(text.data() + text.size(), count), &builder,
                                     nlohmann::detail::input_format_t::json, /*strict=*/true,
                                     /*ignore_comments=*/true);
  if (!whole) return std::nullopt;
  return builder.take();
}

std::string key_path(const std::string& where, std::string_view key) {
  const std::string name = is_plain(key) ? std::string(key) : in_quotes(key);
  return where.empty() ? name : where + "." + name;
}

std::string index_path(const std::string& where, std::size_t index) {
  return where + "[" + std::to_string(index) + "]";
}

}  // namespace isoenv
