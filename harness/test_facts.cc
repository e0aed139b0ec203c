#include "harness/test_facts.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace isoenv {
namespace {

using Json = nlohmann::ordered_json;

Json texts(const std::vector<std::string>& words) {
  Json array = Json::array();
  for (const std::string& word : words) array.push_back(bytes_as_text(word));
  return array;
}

std::vector<std::string> words_of(const Json& array) {
  std::vector<std::string> words;
  for (const Json& text : array) words.push_back(text_as_bytes(text));
  return words;
}

}  // namespace

std::string to_text(const TestFacts& facts, std::size_t most) {
  const RepeatedTest& test = facts.repeated;
  Json variables = Json::array();
  for (const auto& [name, value] : facts.variables) {
    variables.push_back({bytes_as_text(name), bytes_as_text(value)});
  }
  Json json = {{"name", bytes_as_text(facts.name)},
               {"ctest_name", bytes_as_text(test.ctest_name)},
               {"ctest_folder", bytes_as_text(test.ctest_folder.string())},
               {"ctest_configuration", bytes_as_text(test.ctest_configuration)},
               {"isoenv", bytes_as_text(test.isoenv.string())},
               {"spec_file", bytes_as_text(test.spec_file.string())},
               {"working_directory", bytes_as_text(test.working_directory.string())},
               {"services", test.services},
               {"faults", test.faults},
               {"expect_exit", test.tolerance.exit_texts()},
               {"allow_failure", test.tolerance.allow_failure},
               {"command", texts(test.command)},
               {"variables", std::move(variables)},
               {"owns_instance", facts.owns_instance}};
  std::string text = json.dump();
  if (text.size() <= most) return text;
  json["variables"] = Json::array();
  text = json.dump();
  if (text.size() <= most) return text;
  TestFacts least;
  least.name = facts.name.substr(0, most / 4);
  least.owns_instance = facts.owns_instance;
  return to_text(least, most);
}

TestFacts test_facts_from_text(const std::string& text) {
  try {
    const Json json = Json::parse(text);
    const auto word = [&json](const char* key) { return text_as_bytes(json.at(key)); };
    TestFacts facts;
    facts.name = word("name");
    facts.owns_instance = json.at("owns_instance").get<bool>();
    facts.repeated.ctest_name = word("ctest_name");
    facts.repeated.ctest_folder = word("ctest_folder");
    facts.repeated.ctest_configuration = word("ctest_configuration");
    facts.repeated.isoenv = word("isoenv");
    facts.repeated.spec_file = word("spec_file");
    facts.repeated.working_directory = word("working_directory");
    facts.repeated.services = json.at("services").get<std::vector<std::string>>();
    facts.repeated.faults = json.at("faults").get<std::vector<std::string>>();
    facts.repeated.tolerance =
        parse_tolerance(json.at("allow_failure").get<std::vector<std::string>>(),
                        json.at("expect_exit").get<std::vector<std::string>>());
    facts.repeated.command = words_of(json.at("command"));
    for (const Json& variable : json.at("variables")) {
      facts.variables.emplace_back(text_as_bytes(variable.at(0)), text_as_bytes(variable.at(1)));
    }
    return facts;
  } catch (const Json::exception& error) {
    throw Error(std::string("what is known of the test makes no sense: ") + error.what());
  }
}

}  // namespace isoenv
