#include "base/printable.h"

#include <gtest/gtest.h>

namespace isoenv {
namespace {

using namespace std::string_literals;

std::string plain(std::string_view line) { return printable(line, Colours::kDrop); }

TEST(PrintableTest, LeavesOrdinaryTextAlone) {
  const std::string text = "tab\there, grüße, 世界 🙂, \\x1b";
  EXPECT_EQ(plain(text), text);
  EXPECT_EQ(printable(text, Colours::kKeep), text);
  EXPECT_EQ(plain(""), "");
}

TEST(PrintableTest, ShowsControlCharactersInsteadOfObeyingThem) {
  EXPECT_EQ(plain("a\0b\x07\x1b]0;title\x07\x7f"s), "a\\x00b\\x07\\x1b]0;title\\x07\\x7f");
  EXPECT_EQ(plain("50%\r100%\r\n"), "50%\\x0d100%\\x0d\\x0a");
  EXPECT_EQ(plain("line\r"), "line");
  EXPECT_EQ(plain("\xc2\x9b"
                  "2J"),
            "\\u009b2J")
      << "C1 as UTF-8";
  EXPECT_EQ(plain("a\xe2\x80\xae"
                  "b"),
            "a\\u202eb")
      << "right-to-left override";
}

TEST(PrintableTest, ShowsBytesThatAreNotUtf8) {
  EXPECT_EQ(plain("caf\xe9 \xff"), "caf\\xe9 \\xff");
  EXPECT_EQ(plain("\xe2\x82"), "\\xe2\\x82") << "cut";
  EXPECT_EQ(plain("\xc0\xaf"), "\\xc0\\xaf") << "overlong";
  EXPECT_EQ(plain("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(plain("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "above U+10FFFF";
}

TEST(PrintableTest, KeepsOrDropsColoursAndResetsThem) {
  const std::string text = "\x1b[1;31merror\x1b[0m done";
  EXPECT_EQ(plain(text), "error done");
  EXPECT_EQ(printable(text, Colours::kKeep), text + "\x1b[0m");
  EXPECT_EQ(printable("\x1b[38:5:1mred", Colours::kKeep), "\x1b[38:5:1mred\x1b[0m");
}

TEST(PrintableTest, KeepsNoOtherSequence) {
  for (const char* sequence : {"[2J", "[6n", "[?25l", "[31", "[3 q", "c"}) {
    EXPECT_EQ(printable("\x1b"s + sequence, Colours::kKeep), "\\x1b"s + sequence);
  }
}

}  // namespace
}  // namespace isoenv
