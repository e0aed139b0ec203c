#include "unit/spec/schema_check.h"

#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <stdexcept>

namespace isoenv {
namespace {

using nlohmann::json;

class SchemaCheck {
 public:
  explicit SchemaCheck(const json& root) : root_(root) {}

  std::string violation(const json& schema, const json& value, const std::string& where) const {
    for (const auto& [keyword, rule] : schema.items()) {
      const std::string found = apply(keyword, rule, schema, value, where);
      if (!found.empty()) return found;
    }
    return "";
  }

 private:
  std::string apply(const std::string& keyword, const json& rule, const json& schema,
                    const json& value, const std::string& where) const {
    static const std::set<std::string> kAnnotations = {"$schema",     "$defs",   "title",
                                                       "description", "default", "examples"};
    if (kAnnotations.contains(keyword)) return "";
    if (keyword == "$ref") {
      return violation(root_.at(json::json_pointer(rule.get<std::string>().substr(1))), value,
                       where);
    }
    if (keyword == "type") return verdict(has_type(value, rule), keyword, where);
    if (keyword == "const") return verdict(value == rule, keyword, where);
    if (keyword == "enum") return verdict(contains(rule, value), keyword, where);
    if (keyword == "not") return verdict(!violation(rule, value, where).empty(), keyword, where);
    if (keyword == "anyOf") return verdict(matches(rule, value) >= 1, keyword, where);
    if (keyword == "oneOf") return verdict(matches(rule, value) == 1, keyword, where);
    if (keyword == "pattern" || keyword == "minLength" || keyword == "maxLength") {
      return value.is_string() ? apply_to_text(keyword, rule, value, where) : "";
    }
    if (keyword == "minimum") {
      return verdict(!value.is_number() || value >= rule, keyword, where);
    }
    if (keyword == "maximum") {
      return verdict(!value.is_number() || value <= rule, keyword, where);
    }
    if (keyword == "items" || keyword == "minItems" || keyword == "maxItems" ||
        keyword == "uniqueItems") {
      return value.is_array() ? apply_to_list(keyword, rule, value, where) : "";
    }
    return apply_to_object(keyword, rule, schema, value, where);
  }

  std::string apply_to_text(const std::string& keyword, const json& rule, const json& value,
                            const std::string& where) const {
    const auto text = value.get<std::string>();
    if (keyword == "pattern") {
      return verdict(std::regex_search(text, std::regex(rule.get<std::string>())), keyword, where);
    }
    const auto bound = rule.get<std::size_t>();
    return verdict(keyword == "minLength" ? text.size() >= bound : text.size() <= bound, keyword,
                   where);
  }

  std::string apply_to_list(const std::string& keyword, const json& rule, const json& value,
                            const std::string& where) const {
    if (keyword == "minItems") {
      return verdict(value.size() >= rule.get<std::size_t>(), keyword, where);
    }
    if (keyword == "maxItems") {
      return verdict(value.size() <= rule.get<std::size_t>(), keyword, where);
    }
    if (keyword == "uniqueItems") {
      const std::set<json> distinct(value.begin(), value.end());
      return verdict(distinct.size() == value.size(), keyword, where);
    }
    for (std::size_t i = 0; i < value.size(); ++i) {
      const std::string found = violation(rule, value[i], where + "/" + std::to_string(i));
      if (!found.empty()) return found;
    }
    return "";
  }

  std::string apply_to_object(const std::string& keyword, const json& rule, const json& schema,
                              const json& value, const std::string& where) const {
    static const std::set<std::string> kKnown = {"required", "properties", "propertyNames",
                                                 "additionalProperties", "maxProperties"};
    if (!kKnown.contains(keyword)) throw std::runtime_error("unknown keyword " + keyword);
    if (!value.is_object()) return "";
    if (keyword == "maxProperties") {
      return verdict(value.size() <= rule.get<std::size_t>(), keyword, where);
    }
    if (keyword == "required") {
      for (const json& name : rule) {
        if (!value.contains(name.get<std::string>())) return where + ": required";
      }
      return "";
    }
    for (const auto& [name, member] : value.items()) {
      const std::string here = where + "/" + name;
      const bool declared = schema.contains("properties") && schema.at("properties").contains(name);
      std::string found;
      if (keyword == "properties" && declared) found = violation(rule.at(name), member, here);
      if (keyword == "propertyNames") found = violation(rule, name, here);
      if (keyword == "additionalProperties" && !declared) {
        found = rule.is_boolean() ? verdict(rule.get<bool>(), keyword, here)
                                  : violation(rule, member, here);
      }
      if (!found.empty()) return found;
    }
    return "";
  }

  std::size_t matches(const json& schemas, const json& value) const {
    std::size_t count = 0;
    for (const json& schema : schemas) count += violation(schema, value, "").empty() ? 1 : 0;
    return count;
  }

  static bool contains(const json& list, const json& value) {
    return std::find(list.begin(), list.end(), value) != list.end();
  }

  static bool has_type(const json& value, const json& type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "integer") return value.is_number_integer();
    if (type == "boolean") return value.is_boolean();
    throw std::runtime_error("unknown type " + type.dump());
  }

  static std::string verdict(bool holds, const std::string& keyword, const std::string& where) {
    return holds ? "" : where + ": " + keyword;
  }

  const json& root_;
};

}  // namespace

std::string schema_violation(const nlohmann::json& root, const nlohmann::json& value) {
  return SchemaCheck(root).violation(root, value, "");
}

}  // namespace isoenv
