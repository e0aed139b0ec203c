#include "spec/json_tree.h"

#include <gtest/gtest.h>

namespace isoenv {
namespace {

std::string faults_in(const std::string& text) {
  std::vector<Diagnostic> faults;
  read_json(text, faults);
  return render("", faults);
}

JsonNode tree_of(const std::string& text) {
  std::vector<Diagnostic> faults;
  const std::optional<JsonNode> root = read_json(text, faults);
  EXPECT_TRUE(faults.empty()) << render("", faults);
  return root.value_or(JsonNode{});
}

TEST(JsonTreeTest, KeepsTheOrderOfKeys) {
  const JsonNode root = tree_of(R"({"b": 1, "a": [true, null], "c": {"d": "x"}})");
  ASSERT_EQ(root.members.size(), 3u);
  EXPECT_EQ(root.members[0].name, "b");
  EXPECT_EQ(root.members[1].name, "a");
  EXPECT_EQ(root.members[2].value.find("d")->text, "x");
  EXPECT_EQ(root.find("e"), nullptr);
}

TEST(JsonTreeTest, TakesComments) {
  EXPECT_EQ(tree_of("// one\n{\"a\": /* two */ 1}\n// three").find("a")->integer, 1);
}

TEST(JsonTreeTest, DescribesWhatItFound) {
  const JsonNode root = tree_of(R"([null, true, 5, -2.50, "x", [], {}, 18446744073709551615])");
  std::string all;
  for (const JsonNode& node : root.elements) all += node.describe() + "; ";
  EXPECT_EQ(all,
            "null; true; the number 5; the number -2.50; 'x'; a list; an object; "
            "the number 18446744073709551615; ");
}

TEST(JsonTreeTest, PlacesSyntaxErrorsByLineAndColumn) {
  EXPECT_EQ(faults_in("{\"a\": 1,\n \"b\" 2}"),
            "line 2, column 6: this is not JSON: syntax error while parsing object separator - "
            "unexpected number literal; expected ':'");
  EXPECT_EQ(faults_in("{\"a\": tru}"),
            "line 1, column 10: this is not JSON: syntax error while parsing value - invalid "
            "literal");
  EXPECT_EQ(faults_in("{\"a\": 1} x"),
            "line 1, column 10: this is not JSON: syntax error while parsing value - invalid "
            "literal; expected end of input");
  EXPECT_EQ(faults_in("{\"a\": \"\xff\"}"),
            "line 1, column 8: this is not JSON: syntax error while parsing value - invalid "
            "string: ill-formed UTF-8 byte");
}

TEST(JsonTreeTest, SaysThatATrailingCommaIsTooMuch) {
  EXPECT_EQ(faults_in("{\"a\": 1,\n}"),
            "line 2, column 1: this is not JSON: syntax error while parsing object key - "
            "unexpected '}'; expected string literal; remove the comma before the closing bracket");
  EXPECT_EQ(faults_in("[1,]"),
            "line 1, column 4: this is not JSON: syntax error while parsing value - unexpected "
            "']'; expected '[', '{', or a literal; remove the comma before the closing bracket");
}

TEST(JsonTreeTest, RefusesAnEmptyFile) {
  const std::string fault =
      "the file is empty; the least is {\"version\": 1, \"environment\": \"NAME\", "
      "\"services\": {}}";
  EXPECT_EQ(faults_in(""), fault);
  EXPECT_EQ(faults_in(" \n\t"), fault);
}

TEST(JsonTreeTest, ReportsEveryKeyThatStandsTwice) {
  EXPECT_EQ(faults_in("{\"a\": {\"x\": 1,\n\"x\": {\"y\": 1, \"y\": 2}},\n\n\"a\": {\"z\": 1}, "
                      "\"l\": [0, {\"k\": 1, \"k\": 2}]}"),
            "a.x: the key stands twice, again in line 2; remove or rename one of them\n"
            "a.x.y: the key stands twice, again in line 2; remove or rename one of them\n"
            "a: the key stands twice, again in line 4; remove or rename one of them\n"
            "l[1].k: the key stands twice, again in line 4; remove or rename one of them");
}

TEST(JsonTreeTest, KeepsTheFirstOfTwoEqualKeys) {
  std::vector<Diagnostic> faults;
  const std::optional<JsonNode> root = read_json(R"({"a": 1, "a": 2})", faults);
  ASSERT_TRUE(root);
  ASSERT_EQ(root->members.size(), 1u);
  EXPECT_EQ(root->find("a")->integer, 1);
}

TEST(JsonTreeTest, RefusesNestingThatNoSpecNeeds) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(faults_in(nested(kDeepestNesting)), "");
  std::string path;
  for (std::size_t i = 0; i < kDeepestNesting; ++i) path += "[0]";
  EXPECT_EQ(faults_in(nested(kDeepestNesting + 1)),
            path + ": nested deeper than 32 levels; no part of a spec needs that");
  EXPECT_EQ(faults_in(std::string(1'000'000, '[')),
            path + ": nested deeper than 32 levels; no part of a spec needs that");
}

TEST(JsonTreeTest, RefusesTextWithANulCharacter) {
  EXPECT_EQ(faults_in(R"({"a": ["x", "b\u0000c"]})"),
            "a[1]: the text holds a NUL character; remove the \\u0000");
}

TEST(JsonTreeTest, QuotesOddKeysInPaths) {
  EXPECT_EQ(key_path("env", "A_1"), "env.A_1");
  EXPECT_EQ(key_path("", "$schema"), "$schema");
  EXPECT_EQ(key_path("env", "a.b"), "env.'a.b'");
  EXPECT_EQ(key_path("env", ""), "env.''");
  EXPECT_EQ(key_path("env", "a\nb"), "env.'a\\nb'");
  EXPECT_EQ(index_path("command", 2), "command[2]");
}

}  // namespace
}  // namespace isoenv
