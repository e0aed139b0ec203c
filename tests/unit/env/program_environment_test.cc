#include "env/program_environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace isoenv {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(ProgramEnvironmentTest, PassesEverythingOnInOrderWhenItInherits) {
  EXPECT_THAT(program_environment(EnvMode::kInherit, {{"B", "1"}, {"A", "x=y"}, {"E", ""}}, {}),
              ElementsAre("B=1", "A=x=y", "E="));
}

TEST(ProgramEnvironmentTest, PassesOnlyTheBareNecessitiesWhenItIsClean) {
  const Variables inherited{{"PATH", "/bin"},    {"HOME", "/root"}, {"USER", "u"},
                            {"LOGNAME", "l"},    {"LANG", "C"},     {"LC_ALL", "C"},
                            {"TZ", "UTC"},       {"SHELL", "/sh"},  {"TERM", "xterm"},
                            {"LD_PRELOAD", "x"}, {"PATHS", "no"},   {"LC_CTYPE", "C"}};
  EXPECT_THAT(program_environment(EnvMode::kClean, inherited, {{"TERM", "dumb"}}),
              ElementsAre("PATH=/bin", "HOME=/root", "USER=u", "LOGNAME=l", "LANG=C", "LC_ALL=C",
                          "TZ=UTC", "SHELL=/sh", "TERM=dumb"));
}

TEST(ProgramEnvironmentTest, LetsALaterValueReplaceAnEarlierOneInItsPlace) {
  EXPECT_THAT(program_environment(EnvMode::kInherit, {{"A", "1"}, {"B", "2"}, {"A", "3"}},
                                  {{"C", "4"}, {"B", "5"}, {"C", "6"}}),
              ElementsAre("A=3", "B=5", "C=6"));
}

TEST(ProgramEnvironmentTest, PutsWhatAllShareBetweenWhatIsInheritedAndItsOwn) {
  const SharedEnvironment shared({{"HOME", "1"}, {"B", "2"}}, {{"B", "3"}, {"S", "4"}});
  EXPECT_THAT(shared.with(EnvMode::kInherit, {{"O", "5"}, {"S", "6"}, {"O", "7"}, {"HOME", "8"}}),
              ElementsAre("HOME=8", "B=3", "S=6", "O=7"));
  EXPECT_THAT(shared.with(EnvMode::kClean, {{"O", "5"}}),
              ElementsAre("HOME=1", "B=3", "S=4", "O=5"));
}

TEST(ProgramEnvironmentTest, NeverPassesAJobserverOrSomebodyElsesNotifySocket) {
  const Variables inherited{{"MAKEFLAGS", "-j --jobserver-auth=3,4"},
                            {"MFLAGS", "-j"},
                            {"GNUMAKEFLAGS", "-j"},
                            {"NOTIFY_SOCKET", "/run/systemd/notify"},
                            {"MAKE", "make"}};
  EXPECT_THAT(program_environment(EnvMode::kInherit, inherited, {}), ElementsAre("MAKE=make"));
  EXPECT_THAT(program_environment(EnvMode::kClean, inherited, {}), IsEmpty());
}

TEST(ProgramEnvironmentTest, PassesAJobserversVariableThatTheServiceSets) {
  EXPECT_THAT(program_environment(EnvMode::kInherit, {{"MAKEFLAGS", "-j"}},
                                  {{"MAKEFLAGS", "-k"}, {"NOTIFY_SOCKET", "/own"}}),
              ElementsAre("MAKEFLAGS=-k", "NOTIFY_SOCKET=/own"));
}

TEST(ProgramEnvironmentTest, KnowsItsOwnEnvironment) {
  ASSERT_EQ(::setenv("ISOENV_TEST_VALUE", "a=b c", 1), 0);
  ASSERT_EQ(::setenv("ISOENV_TEST_EMPTY", "", 1), 0);
  const Variables variables = own_environment();
  ::unsetenv("ISOENV_TEST_VALUE");
  ::unsetenv("ISOENV_TEST_EMPTY");
  EXPECT_THAT(variables, Contains(Pair("ISOENV_TEST_VALUE", "a=b c")));
  EXPECT_THAT(variables, Contains(Pair("ISOENV_TEST_EMPTY", "")));
}

TEST(ProgramEnvironmentTest, LeavesOutEntriesThatAreNoVariables) {
  char bare[] = "bare";
  char nameless[] = "=x";
  char good[] = "GOOD=1";
  char* entries[] = {bare, nameless, good, nullptr};
  char** const before = std::exchange(environ, entries);
  const Variables variables = own_environment();
  environ = before;
  EXPECT_THAT(variables, ElementsAre(Pair("GOOD", "1")));
}

TEST(SearchPathTest, IsThatOfTheProgram) {
  EXPECT_EQ(search_path({"XPATH=/no", "PATHS=/no", "PATH=/a:/b"}), "/a:/b");
  EXPECT_EQ(search_path({"PATH="}), "");
}

TEST(SearchPathTest, IsTheSystemsWhenTheProgramHasNone) {
  EXPECT_EQ(search_path({"HOME=/root"}), "/usr/local/bin:/usr/bin:/bin");
}

}  // namespace
}  // namespace isoenv
