#include "ready/sanitizer_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace isoenv {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kAsan[] =
    "==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x602\n"
    "READ of size 1 at 0x602 thread T0\n"
    "    #0 0x55 in main a.cc:3\n"
    "\n"
    "SUMMARY: AddressSanitizer: heap-use-after-free a.cc:3 in main\n";
constexpr char kUbsan[] = "src/a.cc:3:5: runtime error: signed integer overflow: 1 + 2\n";

class SanitizerWatchTest : public ::testing::Test {
 protected:
  SanitizerWatch watch_{{[this](const std::string& title, const std::string& line) {
                           titles_.push_back(title);
                           reports_.push_back({line});
                         },
                         [this](const std::string& line) { reports_.back().push_back(line); }}};
  std::vector<std::string> titles_;
  std::vector<std::vector<std::string>> reports_;
};

TEST_F(SanitizerWatchTest, FindsAReportUpToItsSummary) {
  watch_.feed(std::string("before\n=====\n") + kAsan + "after\n");
  EXPECT_THAT(titles_, ElementsAre("AddressSanitizer: heap-use-after-free on address 0x602"));
  ASSERT_THAT(reports_, SizeIs(1));
  EXPECT_THAT(reports_[0], SizeIs(5));
  EXPECT_EQ(reports_[0].back(), "SUMMARY: AddressSanitizer: heap-use-after-free a.cc:3 in main");
}

TEST_F(SanitizerWatchTest, FindsAReportInPiecesOfAnySize) {
  const std::string all = std::string("noise\nmore noise\n") + kAsan + kUbsan + "end";
  for (std::size_t size = 1; size < all.size(); ++size) {
    titles_.clear();
    for (std::size_t at = 0; at < all.size(); at += size) watch_.feed(all.substr(at, size));
    watch_.finish();
    EXPECT_THAT(titles_, ElementsAre("AddressSanitizer: heap-use-after-free on address 0x602",
                                     "UndefinedBehaviorSanitizer: signed integer overflow: 1 + 2"))
        << size;
  }
}

TEST_F(SanitizerWatchTest, KnowsEverySanitizer) {
  for (const char* line : {"==1==ERROR: LeakSanitizer: detected memory leaks\n",
                           "==1==WARNING: MemorySanitizer: use-of-uninitialized-value\n",
                           "WARNING: ThreadSanitizer: data race (pid=1)\n",
                           "==1==ERROR: HWAddressSanitizer: tag-mismatch\n",
                           "==1==ERROR: UndefinedBehaviorSanitizer: SEGV on unknown address\n",
                           "<unknown>: runtime error: null pointer\r\n"}) {
    titles_.clear();
    watch_.feed(line);
    EXPECT_THAT(titles_, SizeIs(1)) << line;
    watch_.finish();
  }
}

TEST_F(SanitizerWatchTest, TellsOfARunningProgramsReportAtItsFirstLine) {
  watch_.feed(kUbsan);
  EXPECT_THAT(titles_, SizeIs(1));
  watch_.feed("    #0 0x55 in main\n\nserving\n    indented, and no part of it\n");
  EXPECT_THAT(reports_[0], SizeIs(3));
}

TEST_F(SanitizerWatchTest, FindsALastLineWithoutItsEnd) {
  watch_.feed("a.c:1:2: runtime error: division by zero");
  EXPECT_THAT(titles_, IsEmpty());
  watch_.finish();
  EXPECT_THAT(titles_, ElementsAre("UndefinedBehaviorSanitizer: division by zero"));
}

TEST_F(SanitizerWatchTest, IsNotFooledByOtherLines) {
  watch_.feed(
      "panic: runtime error: index out of range\n"
      "runtime error: x\n"
      "AddressSanitizer: enabled\n"
      "built with ThreadSanitizer\n"
      "ERROR: the Sanitizer: is out of soap\n"
      "ERROR: Sanitizer: x\n"
      "Error: HandSanitizer: empty\n"
      "SUMMARY: AddressSanitizer: x\n");
  watch_.finish();
  EXPECT_THAT(titles_, IsEmpty());
}

TEST_F(SanitizerWatchTest, EndsAReportThatHasNoEnd) {
  watch_.feed("==1==ERROR: AddressSanitizer: SEGV\n");
  for (int i = 0; i < 1000; ++i) watch_.feed("line\n");
  EXPECT_THAT(reports_[0], SizeIs(200));
  watch_.feed(kUbsan);
  EXPECT_THAT(titles_, SizeIs(2));
}

TEST_F(SanitizerWatchTest, SurvivesALineWithoutEnd) {
  for (int i = 0; i < 1000; ++i) watch_.feed(std::string(1000, 'x'));
  watch_.feed("\n");
  watch_.feed(kUbsan);
  EXPECT_THAT(titles_, SizeIs(1));
}

}  // namespace
}  // namespace isoenv
