// As much of JSON Schema (draft 2020-12) as schema/isoenv.schema.json uses.
//
// An unknown schema keyword throws, so that the schema cannot say more than is checked here.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace isoenv {

/// The first violation, with its path; "" when `value` satisfies the schema `root`.
std::string schema_violation(const nlohmann::json& root, const nlohmann::json& value);

}  // namespace isoenv
