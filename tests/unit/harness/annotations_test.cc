#include "harness/annotations.h"

#include <gtest/gtest.h>

#include "scoped_variable.h"

namespace isoenv {
namespace {

TEST(AnnotationsTest, KnowTheSystemByItsVariable) {
  const test::ScopedVariable github("GITHUB_ACTIONS", std::nullopt);
  const test::ScopedVariable gitlab("GITLAB_CI", std::nullopt);
  EXPECT_EQ(ci_system(), CiSystem::kNone);
  {
    const test::ScopedVariable set("GITLAB_CI", "true");
    EXPECT_EQ(ci_system(), CiSystem::kGitLab);
  }
  const test::ScopedVariable set("GITHUB_ACTIONS", "true");
  EXPECT_EQ(ci_system(), CiSystem::kGitHub);
}

TEST(AnnotationsTest, AreSilentElsewhere) {
  EXPECT_EQ(folded(CiSystem::kNone, "head", "text\n", 1), "");
  EXPECT_EQ(error_mark(CiSystem::kNone, "title", "text"), "");
  EXPECT_EQ(error_mark(CiSystem::kGitLab, "title", "text"), "");
}

TEST(AnnotationsTest, FoldTextInEachSystemsForm) {
  EXPECT_EQ(folded(CiSystem::kGitHub, "100% head", "one\ntwo\n", 7),
            "::group::100%25 head\n| one\n| two\n::endgroup::\n");
  const std::string gitlab = folded(CiSystem::kGitLab, "head", "one\n", 7);
  EXPECT_EQ(gitlab.rfind("\x1b[0Ksection_start:7:isoenv_", 0), 0u);
  EXPECT_NE(gitlab.find("[collapsed=true]\r\x1b[0Khead\n| one\n\x1b[0Ksection_end:7:isoenv_"),
            std::string::npos);
}

TEST(AnnotationsTest, LetNoLineOfAServiceCommandTheRunner) {
  EXPECT_EQ(folded(CiSystem::kGitHub, "head", "::error::gotcha\n\x1b[2J", 7),
            "::group::head\n| ::error::gotcha\n| \\x1b[2J\n::endgroup::\n");
}

TEST(AnnotationsTest, EscapeWhatWouldEndAnError) {
  EXPECT_EQ(error_mark(CiSystem::kGitHub, "a: b, c", "x: 50%"),
            "::error title=a%3A b%2C c::x: 50%25\n");
  EXPECT_EQ(error_mark(CiSystem::kGitHub, "a", "x\ny\x1b"), "::error title=a::x%0Ay\\x1b\n");
}

}  // namespace
}  // namespace isoenv
