#include "ready/log_matcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace isoenv {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(LogMatcherTest, FindsAPatternInAnyLine) {
  LogMatcher matcher({"listening on \\d+"});
  matcher.feed("starting\nlistening on 8080 now\n");
  EXPECT_TRUE(matcher.matches("listening on \\d+"));
}

TEST(LogMatcherTest, DoesNotMatchWhatWasNotWritten) {
  LogMatcher matcher({"listening on \\d+"});
  matcher.feed("listening on port\n");
  matcher.finish();
  EXPECT_FALSE(matcher.matches("listening on \\d+"));
}

TEST(LogMatcherTest, JoinsALineFromItsPieces) {
  LogMatcher matcher({"^ready to serve$"});
  for (const char c : std::string("x\nready to serve")) matcher.feed({&c, 1});
  EXPECT_FALSE(matcher.matches("^ready to serve$"));
  matcher.feed("\r");
  matcher.feed("\n");
  EXPECT_TRUE(matcher.matches("^ready to serve$"));
}

TEST(LogMatcherTest, DoesNotMatchAcrossLines) {
  LogMatcher matcher({"a.*b", "a\\s*b"});
  matcher.feed("a\nb\n");
  EXPECT_FALSE(matcher.matches("a.*b"));
  EXPECT_FALSE(matcher.matches("a\\s*b"));
}

TEST(LogMatcherTest, TestsAnUnfinishedLastLineAtTheEnd) {
  LogMatcher matcher({"done"});
  matcher.feed("all done");
  EXPECT_FALSE(matcher.matches("done"));
  matcher.finish();
  EXPECT_TRUE(matcher.matches("done"));
}

TEST(LogMatcherTest, RemembersEveryPatternByItself) {
  LogMatcher matcher({"one", "two"});
  matcher.feed("two\n");
  EXPECT_FALSE(matcher.matches("one"));
  EXPECT_TRUE(matcher.matches("two"));
  matcher.feed("one\n");
  EXPECT_TRUE(matcher.matches("one"));
  EXPECT_TRUE(matcher.matches("two"));
  EXPECT_FALSE(matcher.matches("three"));
}

TEST(LogMatcherTest, TellsOncePerNewMatch) {
  int told = 0;
  LogMatcher matcher({"one", "two"}, [&] { ++told; });
  matcher.feed("nothing\n");
  EXPECT_EQ(told, 0);
  matcher.feed("one\none again\n");
  EXPECT_EQ(told, 1);
  matcher.feed("one\n");
  EXPECT_EQ(told, 1);
  matcher.feed("two");
  matcher.finish();
  EXPECT_EQ(told, 2);
}

TEST(LogMatcherTest, LooksAtTheFirst64KibibytesOfALine) {
  const std::string filler(64 * 1024, 'x');
  for (const std::size_t chunk : {std::size_t{1000}, std::size_t{200'000}}) {
    LogMatcher matcher({"early", "late", "next"});
    const std::string output = "early" + filler + "late\nnext\n";
    for (std::size_t at = 0; at < output.size(); at += chunk) {
      matcher.feed(std::string_view(output).substr(at, chunk));
    }
    EXPECT_TRUE(matcher.matches("early"));
    EXPECT_FALSE(matcher.matches("late"));
    EXPECT_TRUE(matcher.matches("next"));
  }
}

TEST(LogMatcherTest, SurvivesAPatternThatExplodes) {
  LogMatcher matcher({"(a*)*b\\1$", "fine"});
  matcher.feed(std::string(2000, 'a') + "\nfine\n");
  EXPECT_FALSE(matcher.matches("(a*)*b\\1$"));
  EXPECT_TRUE(matcher.matches("fine"));
}

TEST(LogMatcherTest, RefusesWhatIsNoRegularExpression) {
  try {
    LogMatcher matcher({"listening on ("});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("'listening on (' is not a regular expression"));
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    EXPECT_FALSE(error.hint().empty());
  }
}

TEST(LogMatcherTest, KeepsTheLastLines) {
  LogMatcher matcher;
  EXPECT_THAT(matcher.last_lines(), IsEmpty());
  for (int line = 1; line <= 30; ++line) matcher.feed("line " + std::to_string(line) + "\r\n");
  EXPECT_THAT(matcher.last_lines(), SizeIs(20));
  EXPECT_EQ(matcher.last_lines().front(), "line 11");
  matcher.feed("prompt> ");
  EXPECT_THAT(matcher.last_lines(2), ElementsAre("line 30", "prompt> "));
}

TEST(LogMatcherTest, KeepsEmptyLines) {
  LogMatcher matcher;
  matcher.feed("a\n\nb\n");
  EXPECT_THAT(matcher.last_lines(), ElementsAre("a", "", "b"));
}

TEST(LogMatcherTest, KeepsABoundedTailOfEndlessOutput) {
  for (const std::size_t chunk : {std::size_t{100}, std::size_t{100'000}}) {
    LogMatcher matcher;
    for (std::size_t fed = 0; fed < 1'000'000; fed += chunk) matcher.feed(std::string(chunk, 'x'));
    const std::vector<std::string> lines = matcher.last_lines();
    ASSERT_THAT(lines, SizeIs(1));
    EXPECT_TRUE(lines[0].starts_with("…"));
    EXPECT_LE(lines[0].size(), 33U * 1024);
    matcher.feed("\nlast words\n");
    EXPECT_EQ(matcher.last_lines(1), std::vector<std::string>{"last words"});
  }
}

}  // namespace
}  // namespace isoenv
