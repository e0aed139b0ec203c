#include "spec/diagnostic.h"

#include <gtest/gtest.h>

namespace isoenv {
namespace {

TEST(DiagnosticTest, RendersOneLineAFault) {
  EXPECT_EQ(render("shop.json", {{"services.user.prots", "unknown key", "did you mean 'ports'?"},
                                 {"", "missing key 'version'", ""}}),
            "shop.json: services.user.prots: unknown key; did you mean 'ports'?\n"
            "shop.json: missing key 'version'");
  EXPECT_EQ(render("shop.json", {}), "");
}

TEST(DiagnosticTest, QuotesTextForOneLineOfATerminal) {
  EXPECT_EQ(in_quotes("plain ä"), "'plain ä'");
  EXPECT_EQ(in_quotes("a\nb\tc\x1b[2J\x7f"), "'a\\nb\\tc\\x1b[2J\\x7f'");
}

TEST(DiagnosticTest, CutsLongTextBetweenCharacters) {
  EXPECT_EQ(in_quotes(std::string(101, 'x')), "'" + std::string(100, 'x') + "…'");
  EXPECT_EQ(in_quotes(std::string(99, 'x') + "ää"), "'" + std::string(99, 'x') + "…'");
}

TEST(DiagnosticTest, SuggestsTheNearestWordOrAllWords) {
  EXPECT_EQ(suggest("redy", {"started", "ready"}), "did you mean 'ready'?");
  EXPECT_EQ(suggest("soon", {"started", "ready"}), "expected one of started, ready");
  EXPECT_EQ(suggest("soon", {"ready"}), "expected 'ready'");
  EXPECT_EQ(suggest("soon", {}), "");
  EXPECT_EQ(suggest("soon", std::vector<std::string>(21, "a-long-name")), "");
}

}  // namespace
}  // namespace isoenv
